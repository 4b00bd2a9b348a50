//! The command `flash`.

use std::process::ExitCode;

fn main() -> ExitCode {
    flash_cli::main()
}
