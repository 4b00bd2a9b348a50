use std::path::Path;

/// The commands of a page's section `## Deployed`, in their order.
pub(crate) struct Page {
    commands: Vec<Vec<String>>,
}

impl Page {
    pub(crate) fn read(dir: &Path) -> Self {
        let text = std::fs::read_to_string(dir.join("README.md")).unwrap();
        let section = text.split_once("\n## Deployed\n").unwrap().1.split("\n## ").next().unwrap().to_owned();
        let mut inside = false;
        let mut commands = Vec::new();
        for line in section.lines() {
            match line {
                "```console" => inside = true,
                "```" => inside = false,
                line if inside && line.starts_with("flash ") => commands.push(words(line)[1..].to_vec()),
                line => assert!(!inside, "{line}: only `flash` commands stand here"),
            }
        }
        assert!(!commands.is_empty());
        Self { commands }
    }

    pub(crate) fn commands(&self) -> impl Iterator<Item = Vec<&str>> {
        self.commands.iter().map(|words| words.iter().map(String::as_str).collect())
    }
}

/// Words as a shell splits them; single quotes are all that the pages use.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(at, part)| match at % 2 {
            1 => vec![part.to_owned()],
            _ => part.split_whitespace().map(ToOwned::to_owned).collect(),
        })
        .collect()
}
