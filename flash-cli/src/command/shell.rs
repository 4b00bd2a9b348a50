use std::path::Path;

use clap::CommandFactory;
use serde_json::json;

use crate::cli::Cli;
use crate::failure::{During, Failure};
use crate::output::Output;

/// `flash completions`
#[allow(clippy::unnecessary_wraps, reason = "as every command")]
pub(super) fn completions(shell: clap_complete::Shell) -> Result<u8, Failure> {
    clap_complete::generate(shell, &mut Cli::command(), "flash", &mut std::io::stdout());
    Ok(0)
}

/// `flash man`: one page for each command.
pub(super) fn man(dir: &Path, output: Output) -> Result<u8, Failure> {
    std::fs::create_dir_all(dir).during(format!("`{}` cannot be made", dir.display()))?;
    clap_mangen::generate_to(Cli::command(), dir).during(format!("`{}` cannot be written", dir.display()))?;
    let pages = std::fs::read_dir(dir).during(format!("`{}` cannot be read", dir.display()))?.count();
    output.result(&format!("wrote {pages} pages to {}", dir.display()), &json!({"dir": dir, "pages": pages}));
    Ok(0)
}
