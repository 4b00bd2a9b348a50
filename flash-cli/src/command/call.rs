use std::io::Read;
use std::time::Duration;

use flash_core::manifest::{FunctionEntry, Manifest};
use flash_core::wire::{Job, JobStatus};
use flash_platform::control::RunPod;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::waiting::{MOMENT, Waits};
use crate::cli::{CallArgs, Where};
use crate::failure::{During, Failure, exit};
use crate::output::Output;

/// Between two looks at a job: short at first, and never longer than this.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Looks that may fail in a row before the call does: a platform that restarts is gone for seconds.
const MOST_FAILED_LOOKS: u32 = 8;

/// `flash call`: one function of the deployed app.
pub(super) async fn run(args: CallArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let context = Context::open(&args.target, to).await?;
    let timeout = Duration::from_secs(args.timeout);
    let result = invoke(&context, &args.function, &args.input, timeout, output).await?;
    let text = match &result {
        Value::String(text) => text.clone(),
        other => format!("{other:#}"),
    };
    output.result(&text, &result);
    Ok(0)
}

/// Calls a function of an environment; `-` as its arguments reads standard input. Says why it waits, when it does.
pub(super) async fn invoke(
    context: &Context,
    name: &str,
    input: &str,
    timeout: Duration,
    output: Output,
) -> Result<Value, Failure> {
    let input = arguments(input)?;
    let manifest = context.active_manifest().await?.ok_or_else(|| {
        Failure::new(format!("nothing is deployed in environment {} of {}", context.id.env, context.id.app))
            .help(format_args!("run `flash deploy --env {}`", context.id.env))
    })?;
    if manifest.resources.is_empty() {
        return Err(Failure::new(format!(
            "environment {} of {} runs images, and what is in them is not known here",
            context.id.env, context.id.app
        ))
        .help("run it in the directory of the app, after `flash deploy --image` or `flash build`"));
    }
    let (resource, function) = find(&manifest, name)?;
    let address = manifest.resources_endpoints.get(resource).ok_or_else(|| {
        Failure::new(format!("endpoint `{resource}` is not deployed")).help("run `flash deploy`")
    })?;
    let entry = manifest.resources.get(resource);
    let endpoint = entry.and_then(|entry| entry.endpoint_id.as_deref());
    let waits = Waits::new(&context.platform, address, endpoint, output);
    match (&function.http_method, &function.http_path) {
        (Some(method), Some(path)) => route(waits, method, path, input, timeout).await,
        _ => {
            let several = entry.is_some_and(|entry| entry.functions.len() > 1);
            let input = with_method(input, function, name, several);
            job(waits, input, timeout).await
        }
    }
}

fn arguments(text: &str) -> Result<Map<String, Value>, Failure> {
    let mut read = String::new();
    let text = if text == "-" {
        std::io::stdin().read_to_string(&mut read).during("standard input cannot be read")?;
        &read
    } else {
        text
    };
    serde_json::from_str(text).map_err(|error| {
        Failure::of(exit::USAGE, format!("the arguments are no JSON object: {error}"))
            .help("write them by name, as in `flash call greet '{\"name\": \"you\"}'`")
    })
}

/// The function and its endpoint. A method of a class is named `Class.method`, or by itself where only one class has it.
fn find<'a>(manifest: &'a Manifest, name: &str) -> Result<(&'a str, &'a FunctionEntry), Failure> {
    let mut known = Vec::new();
    for (resource, entry) in &manifest.resources {
        for function in &entry.functions {
            let is_method = function.is_class && function.http_method.is_none();
            if function.name == name {
                return Ok((resource, function));
            }
            if is_method {
                let own = |method: &String| *method == name || format!("{}.{method}", function.name) == name;
                if function.class_methods.iter().any(own) {
                    return Ok((resource, function));
                }
                known.extend(
                    function.class_methods.iter().map(|method| format!("{}.{method}", function.name)),
                );
            } else {
                known.push(function.name.clone());
            }
        }
    }
    Err(Failure::of(exit::USAGE, format!("the app has no function `{name}`; it has {}", known.join(", "))))
}

/// A queue with several functions, and a class with several methods, need to be told which one.
fn with_method(
    mut input: Map<String, Value>,
    function: &FunctionEntry,
    name: &str,
    several: bool,
) -> Map<String, Value> {
    let method = name.rsplit('.').next().unwrap_or(name);
    if function.is_class && function.name != name {
        input.insert("method".to_owned(), json!(method));
    } else if several {
        input.insert("method".to_owned(), json!(function.name));
    }
    if input.is_empty() {
        // The platform drops an empty input (platform contract A.3).
        input.insert("__empty".to_owned(), json!(true));
    }
    input
}

async fn job(mut waits: Waits<'_>, input: Map<String, Value>, timeout: Duration) -> Result<Value, Failure> {
    let (platform, address) = (waits.platform, waits.address);
    // Only a job's status tells whether it waits or runs. The platform takes no less than a second.
    let wait = timeout.min(MOMENT).as_millis().max(1_000);
    let url = format!("{address}/runsync?wait={wait}");
    let margin = Duration::from_secs(20);
    let mut answer =
        ask(platform, Method::POST, &url, Some(json!({"input": input})), MOMENT + margin).await?.1;
    let (mut pause, mut failed) = (FIRST_PAUSE, 0);
    loop {
        let job: Job = serde_json::from_value(answer.clone())
            .map_err(|error| Failure::new(format!("the answer of {address} is no job: {error}")))?;
        match job.status {
            JobStatus::Completed => return Ok(answer.get("output").cloned().unwrap_or_default()),
            JobStatus::InQueue => waits.look().await,
            JobStatus::InProgress => waits.over(),
            _ => {
                let reason = job.error.unwrap_or_else(|| "no reason given".to_owned());
                return Err(Failure::new(readable(&reason)));
            }
        }
        if waits.begun.elapsed() > timeout {
            return Err(Failure::new(format!(
                "job {} is not done after {} s ({:?}{})",
                job.id,
                timeout.as_secs(),
                job.status,
                waits.text()
            ))
            .help("`flash ps` and `flash logs` show why; --timeout waits longer"));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        let url = format!("{address}/status/{}", job.id);
        match ask(platform, Method::GET, &url, None, margin).await {
            Ok((..500, now)) => (answer, failed) = (now, 0),
            Ok(_) | Err(Failure { code: exit::FAILED, .. }) if failed < MOST_FAILED_LOOKS => failed += 1,
            Ok((_, now)) => answer = now,
            Err(failure) => return Err(failure),
        }
    }
}

/// A function's error as its author wrote it.
fn readable(error: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(error).ok();
    let message = parsed.as_ref().and_then(|error| {
        let code = error.pointer("/flash/code").or_else(|| error.get("error_type"))?.as_str()?;
        Some(format!("the function failed: {} ({code})", error.get("error_message")?.as_str()?))
    });
    message.unwrap_or_else(|| format!("the function failed: {error}"))
}

async fn route(
    mut waits: Waits<'_>,
    method: &str,
    path: &str,
    mut input: Map<String, Value>,
    timeout: Duration,
) -> Result<Value, Failure> {
    let (platform, mut url) = (waits.platform, String::from(waits.address));
    for part in path.split('/').filter(|part| !part.is_empty()) {
        url.push('/');
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => {
                let value = input.remove(name).ok_or_else(|| {
                    Failure::of(exit::USAGE, format!("`{method} {path}` needs the argument `{name}`"))
                })?;
                url.push_str(&encoded(&plain(&value)));
            }
            None => url.push_str(part),
        }
    }
    let method = Method::from_bytes(method.as_bytes()).during("the method of the route is unknown")?;
    let body = if method == Method::GET {
        let pairs: Vec<String> = input
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(&plain(value))))
            .collect();
        if !pairs.is_empty() {
            url = format!("{url}?{}", pairs.join("&"));
        }
        None
    } else {
        Some(Value::Object(input))
    };
    let (status, answer) =
        waits.during(ask(platform, method, &url, body, timeout)).await.map_err(|failure| Failure {
            text: failure.text.replacen('\n', &format!("{}\n", waits.text()), 1),
            ..failure
        })?;
    if (200..300).contains(&status) {
        return Ok(answer);
    }
    let said = answer.get("detail").or_else(|| answer.get("error")).and_then(Value::as_str);
    Err(Failure::new(format!(
        "{url} answered {status}: {}",
        said.map_or_else(|| answer.to_string(), ToOwned::to_owned)
    )))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        use std::fmt::Write as _;
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
        url
    })
}

/// Sends a request to the data plane; gives status and JSON.
pub(super) async fn ask(
    platform: &RunPod,
    method: Method,
    url: &str,
    body: Option<Value>,
    timeout: Duration,
) -> Result<(u16, Value), Failure> {
    let sender = platform.sender();
    let request = sender.http().request(method, url).map_err(|error| Failure::new(error.to_string()))?;
    let mut request = sender.credentials().authorize(request.timeout(timeout), url);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let shown = url.split('?').next().unwrap_or(url);
    let response = request.send().await.map_err(|error| {
        let what = if error.is_timeout() {
            format!("did not answer within {} s", timeout.as_secs())
        } else {
            "cannot be reached".to_owned()
        };
        Failure::new(format!("{shown} {what}"))
            .help("`flash ps` shows whether a worker runs; `flash doctor` checks the rest")
    })?;
    let status = response.status().as_u16();
    let text = response.text().await.map_err(|_| Failure::new(format!("the answer of {shown} broke off")))?;
    let json = serde_json::from_str(&text).unwrap_or(Value::String(text));
    match status {
        401 | 403 => Err(Failure::of(exit::AUTH, format!("{shown} refuses the key ({status})"))
            .help("set RUNPOD_API_KEY to a key that may call endpoints")),
        _ => Ok((status, json)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_become_parts_of_an_address() {
        assert_eq!(encoded("a b/ü"), "a%20b%2F%C3%BC");
        assert_eq!(plain(&json!("x")), "x");
        assert_eq!(plain(&json!(3)), "3");
    }

    #[test]
    fn a_typed_error_is_readable() {
        let error = r#"{"error_type": "X", "error_message": "too long", "flash": {"code": "too_long"}}"#;
        assert_eq!(readable(error), "the function failed: too long (too_long)");
        assert_eq!(readable("boom"), "the function failed: boom");
    }
}
