//! The command `flash`.

fn main() -> std::process::ExitCode {
    flash_cli::main()
}
