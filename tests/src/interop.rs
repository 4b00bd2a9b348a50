//! The functions of `tests/interop/python/worker.py`, for a worker of ours.

use std::time::Duration;

use flash::prelude::*;
use serde_json::Value;

/// A queue that a Python worker serves as well.
pub static INTEROP: Endpoint = Endpoint::queue("interop").cpu(&["cpu3c-1-2"]).concurrency(4);

/// Gives back what it gets.
#[remote(resource = INTEROP)]
pub async fn say(value: Value) -> Result<Value, flash::Error> {
    Ok(value)
}

/// Fails.
#[remote(resource = INTEROP)]
pub async fn fail(message: String) -> Result<(), flash::Error> {
    Err(flash::Error::new("broken", message))
}

/// Tells how far it is, and goes on when there is a file.
#[remote(resource = INTEROP)]
pub async fn advance(progress: String, file: String, context: Context) -> Result<String, flash::Error> {
    context.progress(&progress)?;
    wait_for(&file).await;
    Ok("done".to_owned())
}

/// Goes on when there is a file. Says when it begins, and when it is stopped before the file is there.
#[remote(resource = INTEROP)]
#[expect(clippy::print_stdout, reason = "the test reads what the worker writes")]
pub async fn hold(file: String, context: Context) -> Result<String, flash::Error> {
    struct Stopped(Option<String>);
    impl Drop for Stopped {
        fn drop(&mut self) {
            if let Some(id) = self.0.take() {
                println!("stopped {id}");
            }
        }
    }
    let mut stopped = Stopped(Some(context.id().to_owned()));
    println!("holds {}", context.id());
    wait_for(&file).await;
    stopped.0 = None;
    Ok("held".to_owned())
}

/// Asks for a fresh worker, and tells which one this is.
#[remote(resource = INTEROP)]
pub async fn renew(context: Context) -> Result<Value, flash::Error> {
    context.refresh_worker();
    Ok(serde_json::json!({ "pid": std::process::id() }))
}

async fn wait_for(file: &str) {
    while !std::path::Path::new(file).exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A queue with one slot, for the same functions as methods of a stateful worker.
pub static INTEROP_SINGLE: Endpoint = Endpoint::queue("interop_single").cpu(&["cpu3c-1-2"]).concurrency(1);

/// Without state.
#[derive(Debug)]
pub struct Single;

#[remote(resource = INTEROP_SINGLE)]
impl Single {
    /// Nothing to build.
    #[remote(init)]
    pub fn new() -> Result<Self, flash::Error> {
        Ok(Self)
    }

    /// As the function.
    #[remote]
    pub async fn say(&self, value: Value) -> Result<Value, flash::Error> {
        say(value).await
    }

    /// As the function.
    #[remote]
    pub async fn fail(&self, message: String) -> Result<(), flash::Error> {
        fail(message).await
    }

    /// As the function.
    #[remote]
    pub async fn advance(
        &self,
        progress: String,
        file: String,
        context: Context,
    ) -> Result<String, flash::Error> {
        advance(progress, file, context).await
    }

    /// As the function.
    #[remote]
    pub async fn renew(&self, context: Context) -> Result<Value, flash::Error> {
        renew(context).await
    }
}
