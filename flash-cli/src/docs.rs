//! The pages of `docs/cli`, one for each command, made of what `--help` says; and the schemas of `schemas/cli`. The tests here
//! compare them with the committed files, and `FLASH_UPDATE_DOCS=1` writes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Command, CommandFactory, Parser};

use crate::cli::Cli;
use crate::report::published;

/// Set to `1` to write the files instead of comparing them.
const UPDATE: &str = "FLASH_UPDATE_DOCS";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A page for each command that is shown.
fn pages() -> BTreeMap<String, String> {
    let mut cli = Cli::command();
    cli.build();
    let shown = cli.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|command| (format!("{}.md", command.get_name()), page(command))).collect()
}

fn page(command: &Command) -> String {
    let mut text = String::new();
    let name = format!("flash {}", command.get_name());
    section(&mut text, "#", &name, command);
    let parts = command.get_subcommands().filter(|part| !part.is_hide_set());
    for part in parts {
        section(&mut text, "##", &format!("{name} {}", part.get_name()), part);
    }
    text.push_str("\nOptions of every command: [`--json`, `--quiet`, `--verbose`, `--platform`](../cli.md#options-of-every-command). Exit codes: [the table](../cli.md#exit-codes).\n");
    text
}

/// What one command does, takes and prints.
fn section(text: &mut String, level: &str, name: &str, command: &Command) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{level} `{name}`\n");
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(text, "{}\n", about.trim());
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let _ = writeln!(text, "```text\n{}\n```", usage.trim());
    if let Some(help) = command.get_after_long_help() {
        let _ = writeln!(text, "\n{}", help.to_string().trim_end());
    }
    let rows: Vec<String> = command.get_arguments().filter(|arg| !is_common(arg)).map(row).collect();
    if !rows.is_empty() {
        let _ = writeln!(text, "\n| Argument | Meaning | Default |\n|---|---|---|\n{}", rows.join("\n"));
    }
    let file = format!("{}.schema.json", name.trim_start_matches("flash ").replace(' ', "-"));
    if published().iter().any(|(name, _)| format!("{name}.schema.json") == file) {
        let _ = writeln!(text, "\nWith `--json`: [{file}](../../schemas/cli/{file}).");
    }
    text.push('\n');
}

/// Options that every command has stand on the page of all commands.
fn is_common(arg: &clap::Arg) -> bool {
    arg.is_hide_set() || arg.is_global_set() || matches!(arg.get_id().as_str(), "help" | "version")
}

fn row(arg: &clap::Arg) -> String {
    let value = arg
        .get_value_names()
        .map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        .filter(|_| arg.get_action().takes_values());
    let value = value.unwrap_or_else(|| arg.get_id().as_str().to_uppercase());
    let mut name = match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("`-{short}`, `--{long}`"),
        (None, Some(long)) => format!("`--{long}`"),
        (Some(short), None) => format!("`-{short}`"),
        (None, None) if arg.is_required_set() => format!("`{value}`"),
        (None, None) => format!("`[{value}]`"),
    };
    if arg.get_action().takes_values() && !arg.is_positional() {
        let _ = write!(name, " `{value}`");
    }
    let mut meaning = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let choices: Vec<String> =
        arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if !choices.is_empty() && !matches!(arg.get_action(), ArgAction::SetTrue) {
        let _ = write!(meaning, " One of {}.", choices.join(", "));
    }
    let mut default: Vec<String> = arg
        .get_default_values()
        .iter()
        .map(|value| format!("`{}`", value.to_string_lossy()))
        .filter(|_| arg.get_action().takes_values())
        .collect();
    if let Some(variable) = arg.get_env() {
        default.insert(0, format!("`{}`", variable.to_string_lossy()));
    }
    format!("| {name} | {} | {} |", meaning.replace('\n', " ").replace('|', "\\|"), default.join(", else "))
}

/// Compares a folder with what it should be, or writes it.
fn fresh(folder: &str, files: &BTreeMap<String, String>) {
    let folder = root().join(folder);
    if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let listed =
        std::fs::read_dir(&folder).map(|entries| entries.flatten().collect()).unwrap_or_else(|_| Vec::new());
    let there: BTreeMap<String, String> = listed
        .into_iter()
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    let stale: Vec<&String> =
        files.keys().chain(there.keys()).filter(|name| files.get(*name) != there.get(*name)).collect();
    assert!(
        stale.is_empty(),
        "{} is not what this version says: {stale:?}\nhelp: `{UPDATE}=1 cargo test -p flash-cli --lib docs`, and commit the files",
        folder.display()
    );
}

#[test]
fn every_command_has_a_fresh_page() {
    fresh("docs/cli", &pages());
}

#[test]
fn every_document_has_a_fresh_schema() {
    let schemas = published().into_iter().map(|(name, schema)| {
        (format!("{name}.schema.json"), serde_json::to_string_pretty(&schema).unwrap() + "\n")
    });
    fresh("schemas/cli", &schemas.collect());
}

/// The commands that lead to something of their own, by their words.
fn leaves(command: &Command, words: &str) -> Vec<String> {
    let parts: Vec<&Command> = command.get_subcommands().filter(|part| !part.is_hide_set()).collect();
    let mut all: Vec<String> =
        parts.iter().flat_map(|part| leaves(part, &format!("{words} {}", part.get_name()))).collect();
    // `deploy` is a command, and so are its parts; `env` alone is none.
    if parts.is_empty() || !command.is_subcommand_required_set() {
        all.push(words.trim().to_owned());
    }
    all
}

#[test]
fn no_command_is_without_a_schema_and_no_schema_without_a_command() {
    let cli = Cli::command();
    let mut commands: Vec<String> = cli
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .flat_map(|command| leaves(command, command.get_name()))
        .map(|words| words.replace(' ', "-"))
        .chain(["error".to_owned(), "build-preview".to_owned()])
        .collect();
    let mut schemas: Vec<String> = published().into_iter().map(|(name, _)| name).collect();
    commands.sort();
    schemas.sort();
    assert_eq!(commands, schemas);
}

/// Every line of an example is a command line that is understood.
#[test]
fn the_examples_of_every_page_are_commands() {
    let mut cli = Cli::command();
    cli.build();
    let mut seen = 0;
    let of_all = cli.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let helps =
        cli.get_subcommands().filter_map(|command| command.get_after_long_help().map(ToString::to_string));
    for help in helps.chain([of_all]) {
        for line in help.lines().filter_map(|line| line.strip_prefix("    ")) {
            for line in line.split(" && ") {
                // What stands before a pipe, and behind a redirection, is the shell's.
                let line = line.rsplit(" | ").next().unwrap().split(" > ").next().unwrap();
                // In the list of all commands an explanation follows behind several blanks.
                let line = line.split("   ").next().unwrap();
                if !line.starts_with("flash ") {
                    continue;
                }
                let words = words(line);
                Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
                seen += 1;
            }
        }
    }
    assert!(seen > 30, "{seen}");
}

/// The same for every console block of the guides.
#[test]
fn the_console_blocks_of_every_guide_are_commands() {
    let pages = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut seen = 0;
    for page in pages.chain([root().join("README.md")]) {
        let text = std::fs::read_to_string(&page).unwrap();
        let blocks = text.split("```console\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
        for line in blocks.flat_map(str::lines).flat_map(|line| line.split(" && ")) {
            let line = line.split(" #").next().unwrap();
            if line.starts_with("flash ") {
                Cli::try_parse_from(words(line))
                    .unwrap_or_else(|error| panic!("{}: {line}: {error}", page.display()));
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

/// Words as a shell splits them; single quotes are all that the examples use.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    parts
        .flat_map(|(at, part)| match at % 2 {
            1 => vec![part.to_owned()],
            _ => part.split_whitespace().map(ToOwned::to_owned).collect(),
        })
        .collect()
}
