//! An app for the tests: an echo, a slow function, a panic and a typed error on queues, and HTTP routes that call them.

use flash_tests as _;

fn main() -> std::process::ExitCode {
    flash::run()
}
