use std::process::Stdio;
use std::time::Duration;

use flash_platform::control::Platform;
use jiff::Timestamp;
use serde_json::Value;

use super::call::invoke;
use super::context::Context;
use super::deploy::{prepare, told};
use super::guard::Guard;
use super::interrupt::Interrupt;
use crate::build::build;
use crate::cli::{DeployArgs, TargetArgs, TemporaryArgs, Where};
use crate::connect::connect;
use crate::deploy::{Artifact, Identity, apply, leased_name, left_until};
use crate::failure::{During, Failure, exit};
use crate::output::Output;
use crate::project::Project;
use crate::report::{Smoke, Temporary};

/// What a smoke call may take.
const CALL_LIMIT: Duration = Duration::from_secs(300);

/// `flash deploy --temporary`: an environment that is gone when this ends, however it ends.
pub(super) async fn run(args: DeployArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let calls: Vec<(String, String)> =
        args.temporary.calls.iter().map(|text| read_call(text)).collect::<Result<_, _>>()?;
    let connection = connect(to)?;
    let project = Project::find(args.source.package.as_deref())?;
    let app = args.target.app_name.unwrap_or_else(|| project.app().to_owned());
    let is_new_app = connection.platform.app(&app).await?.is_none();
    let built = build(&args.source, &project, None, output)?;
    let until = until(args.temporary.ttl)?;
    let id = Identity { app, env: leased_name("tmp", until) };
    let settings = args.target.env.unwrap_or_else(|| id.env.clone());
    output.note(format_args!(
        "deploying {} to environment {} until {until} on {}",
        id.app, id.env, connection.name
    ));
    let (artifact, manifest) = Artifact::of(built);
    let how = args.how.clone();
    let deployment = prepare(&connection, &project, manifest, Some(&settings), id.clone(), how, output)?;
    if args.how.dry_run {
        return super::deploy::finish(deployment, artifact, output).await;
    }
    let mut interrupt = Interrupt::listen();
    let guard = Guard::start(&connection, &id, is_new_app, &project.flash_dir())?;
    let functions = deployment.manifest.function_registry.clone();
    let lived = async {
        let applied = apply(deployment, artifact).await?;
        let target = TargetArgs { app_name: Some(id.app.clone()), env: Some(id.env.clone()) };
        let context = Context::open(&target, to).await?;
        let mut smoke = Vec::new();
        for (function, input) in calls {
            let result =
                invoke(&context, &function, &input, CALL_LIMIT, output).await.map_err(|failure| Failure {
                    text: format!("the smoke call of `{function}` failed: {}", failure.text),
                    ..failure
                })?;
            output.note(format_args!("  {function} answers {}", short(&result)));
            smoke.push(Smoke { function, result });
        }
        let mut document = applied.document(&id);
        document.temporary = Some(Temporary { until: until.to_string(), smoke });
        output.result(&told("deployed and verified", &functions, &applied), &document);
        stay(&args.temporary, &id, output).await
    };
    let lived = tokio::select! {
        lived = lived => lived,
        () = tokio::time::sleep(left_until(until)) => {
            Err(Failure::new(format!("the lease of environment {} is over", id.env)).help("a longer one: --ttl 4h"))
        }
        () = interrupt.came() => {
            output.note("stopping");
            Ok(exit::OK)
        }
    };
    output.note(format_args!("removing environment {}", id.env));
    let removed = guard.end().await;
    match (lived, removed) {
        (Ok(code), Ok(())) => {
            output.note("removed, confirmed gone");
            Ok(code)
        }
        (Err(failure), Ok(())) | (Ok(_), Err(failure)) => Err(failure),
        (Err(first), Err(second)) => {
            Err(Failure { text: format!("{}\n{}", first.text, second.text), ..first })
        }
    }
}

/// When a lease that begins now is over.
pub(super) fn until(ttl: Duration) -> Result<Timestamp, Failure> {
    Timestamp::now().checked_add(ttl).during("the end of the lease is no time")
}

/// Runs the command behind `--`, or waits for ever.
async fn stay(args: &TemporaryArgs, id: &Identity, output: Output) -> Result<u8, Failure> {
    let Some((program, words)) = args.command_line.split_first() else {
        output.note("Ctrl-C removes it");
        return std::future::pending().await;
    };
    let mut command = tokio::process::Command::new(program);
    command.args(words).env("FLASH_ENV", &id.env).env("FLASH_APP", &id.app).kill_on_drop(true);
    if output.json {
        // Standard output holds one document.
        command.stdout(Stdio::from(std::io::stderr()));
    }
    let status = command.status().await.during(format!("`{}` cannot be run", program.display()))?;
    // A command that a signal ended has no code.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::FAILED))
}

/// `greet {"name": "you"}`: function and arguments.
fn read_call(text: &str) -> Result<(String, String), Failure> {
    let (function, input) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), "{}"));
    if function.is_empty() {
        return Err(Failure::of(exit::USAGE, "--call names no function")
            .help("as in --call 'greet {\"name\": \"you\"}'"));
    }
    Ok((function.to_owned(), input.trim().to_owned()))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    let cut: String = text.chars().take(100).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smoke_call_is_a_name_and_arguments() {
        let read = |text: &str| read_call(text).unwrap();
        assert_eq!(read("ping"), ("ping".to_owned(), "{}".to_owned()));
        assert_eq!(
            read(" greet  {\"name\": \"a b\"} "),
            ("greet".to_owned(), "{\"name\": \"a b\"}".to_owned())
        );
        assert_eq!(read_call("  ").unwrap_err().code, exit::USAGE);
    }

    #[test]
    fn a_long_answer_is_cut() {
        assert_eq!(short(&Value::from("x")), "\"x\"");
        assert_eq!(short(&Value::from("é".repeat(200))).chars().count(), 101);
    }
}
