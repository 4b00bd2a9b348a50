//! A peer of the HTTP benchmark: what somebody writes who uses dropshot.

use dropshot::{
    ApiDescription, ConfigDropshot, ConfigLogging, ConfigLoggingLevel, HttpError, HttpResponseOk,
    RequestContext, ServerBuilder, TypedBody, endpoint,
};
use flash_benches::args::Args;
use schemars08::JsonSchema;
use serde::{Deserialize, Serialize};

/// The same echo, with the schema that dropshot asks for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(crate = "schemars08")]
struct Echo {
    a: u32,
    b: String,
}

/// Gives back what it gets.
#[endpoint { method = POST, path = "/echo" }]
async fn echo(_: RequestContext<()>, body: TypedBody<Echo>) -> Result<HttpResponseOk<Echo>, HttpError> {
    Ok(HttpResponseOk(body.into_inner()))
}

/// Says that it is there.
#[endpoint { method = GET, path = "/ping" }]
async fn ping(_: RequestContext<()>) -> Result<HttpResponseOk<String>, HttpError> {
    Ok(HttpResponseOk("pong".to_owned()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = Args::of_process().required("port")?;
    let log = ConfigLogging::StderrTerminal { level: ConfigLoggingLevel::Error }.to_logger("echo")?;
    let mut api = ApiDescription::new();
    api.register(echo)?;
    api.register(ping)?;
    let config = ConfigDropshot { bind_address: ([127, 0, 0, 1], port).into(), ..ConfigDropshot::default() };
    ServerBuilder::new(api, (), log).config(config).start()?.await?;
    Ok(())
}
