use std::collections::BTreeMap;
use std::time::Duration;

use flash_platform::control::{LogEvent, Platform};
use serde_json::json;

use super::context::Context;
use crate::cli::{LogsArgs, Where};
use crate::failure::Failure;
use crate::output::Output;

/// Between two looks while following.
const PAUSE: Duration = Duration::from_secs(1);
/// Lines of a worker that are looked at while following; what is more than that between two looks is lost, and said so.
const WINDOW: u32 = 1000;

/// `flash logs`: what workers print, a line each, in the order of each worker.
pub(super) async fn run(args: &LogsArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let context = Context::open(&args.target, to).await?;
    let mut seen: BTreeMap<String, Vec<LogEvent>> = BTreeMap::new();
    let mut first = true;
    loop {
        let endpoints = context.endpoints().await?;
        let wanted: Vec<_> = endpoints
            .iter()
            .filter_map(|endpoint| Some((endpoint.identity()?.2, endpoint)))
            .filter(|(resource, endpoint)| {
                args.endpoint.as_deref().is_none_or(|name| name == *resource || name == endpoint.id)
            })
            .collect();
        if let (true, Some(name), []) = (first, &args.endpoint, wanted.as_slice()) {
            return Err(Failure::new(format!("environment `{}` has no endpoint `{name}`", context.id.env))
                .help("`flash ps` shows what there is"));
        }
        for (resource, endpoint) in wanted {
            for worker in context.platform.workers(&endpoint.id).await? {
                let tail = if first { args.tail } else { WINDOW };
                let now = context.platform.logs(&endpoint.id, &worker.id, tail).await?;
                let before = seen.entry(worker.id.clone()).or_default();
                for event in news(before, &now) {
                    let document = json!({
                        "endpoint": resource, "worker": worker.id, "source": event.source, "line": event.line, "ts": event.ts,
                    });
                    if !output
                        .line(&format!("{resource} {} | {}", worker.id, event.line.trim_end()), &document)
                    {
                        return Ok(0);
                    }
                }
                *before = now;
            }
        }
        if !args.follow {
            return Ok(0);
        }
        first = false;
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = tokio::signal::ctrl_c() => return Ok(0),
        }
    }
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
