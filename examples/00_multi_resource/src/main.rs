//! Links the functions of the library and plays the role that the environment gives.

use multi_resource as _;

fn main() -> std::process::ExitCode {
    flash::run()
}
