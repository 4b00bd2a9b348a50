//! A program whose functions nobody linked.

fn main() -> std::process::ExitCode {
    flash::run()
}
