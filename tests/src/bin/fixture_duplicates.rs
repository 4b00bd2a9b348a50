//! A program with every kind of duplicate.

use flash::prelude::*;

static API: Endpoint = Endpoint::http("api").cpu(&["cpu3c-1-2"]);

mod first {
    use super::*;

    #[remote(resource = API, method = "GET", path = "/things/{id}")]
    pub(crate) async fn thing(id: u32) -> Result<u32, flash::Error> {
        Ok(id)
    }

    pub(crate) static SAME: Endpoint = Endpoint::queue("same").concurrency(1);

    #[remote(resource = SAME)]
    pub(crate) async fn one() -> Result<(), flash::Error> {
        Ok(())
    }
}

mod second {
    use super::*;

    #[remote(resource = API, method = "POST", path = "/other")]
    pub(crate) async fn thing(id: u32) -> Result<u32, flash::Error> {
        Ok(id)
    }

    #[remote(resource = API, method = "GET", path = "/things/{name}")]
    pub(crate) async fn named(name: String) -> Result<String, flash::Error> {
        Ok(name)
    }

    pub(crate) static SAME: Endpoint = Endpoint::queue("same").concurrency(2);

    #[remote(resource = SAME)]
    pub(crate) async fn two() -> Result<(), flash::Error> {
        Ok(())
    }
}

fn main() -> std::process::ExitCode {
    flash::run()
}
