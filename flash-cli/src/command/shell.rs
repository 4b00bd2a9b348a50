use std::path::Path;

use crate::cli::Cli;
use crate::failure::{During, Failure};
use crate::output::Output;
use crate::report::{Completions, ManPages};
use clap::CommandFactory;

/// `flash completions`
pub(super) fn completions(shell: clap_complete::Shell, output: Output) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "flash", &mut script);
    let script = String::from_utf8(script).during("the completions cannot be written")?;
    output.result(&script, &Completions { shell: shell.to_string(), script: script.clone() });
    Ok(0)
}

/// `flash man`: one page for each command.
pub(super) fn man(dir: &Path, output: Output) -> Result<u8, Failure> {
    std::fs::create_dir_all(dir).during(format!("`{}` cannot be made", dir.display()))?;
    clap_mangen::generate_to(Cli::command(), dir).during(format!("`{}` cannot be written", dir.display()))?;
    let pages = std::fs::read_dir(dir).during(format!("`{}` cannot be read", dir.display()))?.count();
    output.result(
        &format!("wrote {pages} pages to {}", dir.display()),
        &ManPages { dir: dir.to_owned(), pages },
    );
    Ok(0)
}
