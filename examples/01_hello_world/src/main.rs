//! Links the functions of the library and plays the role that the environment gives.

use hello_world as _;

fn main() -> std::process::ExitCode {
    flash::run()
}
