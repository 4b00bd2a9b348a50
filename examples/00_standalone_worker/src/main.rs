//! Links the function of the library and plays the role that the environment gives.

use standalone_worker as _;

fn main() -> std::process::ExitCode {
    flash::run()
}
