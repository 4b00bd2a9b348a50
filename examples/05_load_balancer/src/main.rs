//! Links the functions of the library and plays the role that the environment gives.

use load_balancer as _;

fn main() -> std::process::ExitCode {
    flash::run()
}
