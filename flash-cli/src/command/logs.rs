use std::collections::BTreeMap;
use std::time::Duration;

use flash_platform::control::{LiveEndpoint, LogEvent, Platform};

use super::context::Context;
use super::interrupt::Interrupt;
use crate::cli::{LogsArgs, Where};
use crate::failure::Failure;
use crate::output::Output;
use crate::report::LogLine;

/// Between two looks while following.
const PAUSE: Duration = Duration::from_secs(1);
/// Lines of a worker that are looked at while following; what is more than that between two looks is lost, and said so.
const WINDOW: u32 = 1000;

/// `flash logs`: what workers print, a line each, in the order of each worker.
pub(super) async fn run(args: &LogsArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let context = Context::open(&args.target, to).await?;
    if let Some(name) = &args.endpoint
        && !context.endpoints().await?.iter().any(|endpoint| is_named(endpoint, name))
    {
        return Err(Failure::new(format!("environment `{}` has no endpoint `{name}`", context.id.env))
            .help("`flash ps` shows what there is"));
    }
    let mut interrupt = Interrupt::listen();
    let mut tail = Tail { first: args.tail, ..Tail::default() };
    loop {
        let mut heard = true;
        let tell = |line: LogLine| {
            let text = format!("{} {} | {}", line.endpoint, line.worker, line.line.trim_end());
            heard = heard && output.line(&text, &line);
        };
        tokio::select! {
            told = tail.tell(&context, args.endpoint.as_deref(), tell) => told?,
            () = interrupt.came() => return Ok(0),
        }
        // A reader that closed its end has heard enough.
        if !args.follow || !heard {
            return Ok(0);
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = interrupt.came() => return Ok(0),
        }
    }
}

/// What was told of each worker.
#[derive(Debug)]
pub(super) struct Tail {
    seen: BTreeMap<String, Vec<LogEvent>>,
    /// Lines of a worker that is looked at for the first time.
    first: u32,
    looked: bool,
}

impl Default for Tail {
    fn default() -> Self {
        Self { seen: BTreeMap::new(), first: WINDOW, looked: false }
    }
}

impl Tail {
    /// Tells what workers of an endpoint, or of all, have printed since the last time.
    pub(super) async fn tell(
        &mut self,
        context: &Context,
        endpoint: Option<&str>,
        mut tell: impl FnMut(LogLine),
    ) -> Result<(), Failure> {
        let lines = if self.looked { WINDOW } else { self.first };
        self.looked = true;
        for live in context.endpoints().await? {
            let Some((_, _, resource)) = live.identity() else { continue };
            if endpoint.is_some_and(|name| !is_named(&live, name)) {
                continue;
            }
            for worker in context.platform.workers(&live.id).await? {
                let now = context.platform.logs(&live.id, &worker.id, lines).await?;
                let before = self.seen.entry(worker.id.clone()).or_default();
                for event in news(before, &now) {
                    tell(LogLine {
                        endpoint: resource.to_owned(),
                        worker: worker.id.clone(),
                        source: event.source.clone(),
                        line: event.line.clone(),
                        ts: event.ts.clone(),
                    });
                }
                *before = now;
            }
        }
        Ok(())
    }
}

/// Whether an endpoint is meant by its name in the app, or by its id.
fn is_named(endpoint: &LiveEndpoint, name: &str) -> bool {
    endpoint.id == name || endpoint.identity().is_some_and(|(_, _, resource)| resource == name)
}

/// The lines at the end of `now` that were not there before.
fn news<'a>(before: &[LogEvent], now: &'a [LogEvent]) -> &'a [LogEvent] {
    // The longest end of `before` with which `now` begins, or which lies in it when fewer lines were asked for before.
    let Some(last) = before.last() else { return now };
    let known = now.iter().enumerate().rev().find(|(at, event)| {
        *event == last && before.iter().rev().zip(now[..=*at].iter().rev()).all(|(a, b)| a == b)
    });
    known.map_or(now, |(at, _)| &now[at + 1..])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_new_lines_are_told_again_even_when_lines_repeat() {
        let events = |text: &str| -> Vec<LogEvent> {
            text.chars().map(|c| serde_json::from_value(json!({"line": c.to_string()})).unwrap()).collect()
        };
        for (before, now, expected) in [
            ("", "ab", "ab"),
            ("ab", "abc", "c"),
            ("ab", "ab", ""),
            ("b", "abc", "c"),
            ("aa", "aaab", "b"),
            ("ab", "xyz", "xyz"),
        ] {
            let now = events(now);
            assert_eq!(news(&events(before), &now), events(expected), "{before}");
        }
    }
}
