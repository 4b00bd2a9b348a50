//! `/v2/serverless/{id}/workers/{workerId}/logs`: what a worker writes, as it writes it.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use flash_core::clock::Timestamp;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use super::problem::Problem;
use crate::control::{Control, time};
use crate::sse::{self, Events};
use crate::supervisor::{LogLine, Logs, Source};

#[derive(Deserialize)]
pub(super) struct Wanted {
    source: Option<String>,
    tail: Option<String>,
    since: Option<String>,
}

/// Lines that are shown when the caller does not say, and at most.
const TAIL: usize = 100;
const TAIL_MAX: usize = 5_000;

pub(super) async fn stream(
    State(control): State<Arc<Control>>,
    Path((id, worker)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    control.state().endpoint(&id)?;
    let is_system = match wanted.source.as_deref() {
        None => None,
        Some("system") => Some(true),
        Some("container") => Some(false),
        Some(_) => return Err(Problem::invalid(vec!["source must be container or system".to_owned()])),
    };
    let tail = match &wanted.tail {
        None => TAIL,
        Some(text) => text.parse().ok().filter(|tail| *tail <= TAIL_MAX).ok_or_else(|| {
            Problem::invalid(vec![format!("tail must be a whole number from 0 to {TAIL_MAX}")])
        })?,
    };
    let cursor = headers.get("last-event-id").map(|value| value.to_str().unwrap_or_default());
    let start = match (cursor, &wanted.since) {
        (Some(cursor), _) => Start::After(Cursor::parse(cursor).ok_or_else(|| wrong_time("Last-Event-ID"))?),
        (None, Some(since)) => Start::From(time::parse(since).ok_or_else(|| wrong_time("since"))?),
        (None, None) => Start::Last(tail),
    };
    let belongs =
        control.plane.roster.workers().iter().any(|one| one.id == *worker && one.endpoint.as_str() == id);
    let log = control.plane.roster.log_of(&worker).filter(|_| belongs);
    let log = log.ok_or_else(|| Problem::not_found("worker"))?;
    // REST v2: "always `no-cache`".
    Ok(sse::response("no-cache", move |events| follow(log, start, is_system, events)))
}

fn wrong_time(name: &str) -> Problem {
    Problem::invalid(vec![format!("{name} must be a moment as RFC 3339 has it")])
}

enum Start {
    Last(usize),
    From(Timestamp),
    After(Cursor),
}

/// The place of a line in its log: its moment, with the line's number in the digits below the milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cursor {
    at: Timestamp,
    number: u64,
}

/// Lines that can be told apart within one millisecond.
const NUMBERS: u64 = 1_000_000;

impl Cursor {
    fn of(line: &LogLine) -> Self {
        Self { at: line.at, number: line.number % NUMBERS }
    }

    fn text(self) -> String {
        let at = time::rfc3339(self.at);
        format!("{}{:06}Z", at.trim_end_matches('Z'), self.number)
    }

    fn parse(text: &str) -> Option<Self> {
        let at = time::parse(text)?;
        let digits =
            text.split('.').nth(1).and_then(|rest| rest.get(3..9)).and_then(|rest| rest.parse().ok());
        Some(Self { at, number: digits.unwrap_or(0) })
    }
}

async fn follow(log: Logs, start: Start, is_system: Option<bool>, events: Events) {
    let wanted = |line: &LogLine| is_system.is_none_or(|system| system == (line.source == Source::System));
    let mut changes = log.watch();
    changes.mark_changed();
    let mut last = None;
    while let Ok(Ok(())) = events.until(changes.changed()).await {
        changes.borrow_and_update();
        let all = log.lines();
        let newest = all.last().map(|line| line.number);
        let mut lines: Vec<_> = all.into_iter().filter(wanted).collect();
        match (last, &start) {
            (Some(last), _) => lines.retain(|line| line.number > last),
            (None, Start::From(at)) => lines.retain(|line| line.at >= *at),
            (None, Start::After(cursor)) => lines.retain(|line| Cursor::of(line) > *cursor),
            (None, Start::Last(count)) => drop(lines.drain(..lines.len().saturating_sub(*count))),
        }
        last = newest.or(last).or(Some(0));
        for line in lines {
            let cursor = Cursor::of(&line).text();
            let source = if line.source == Source::System { "system" } else { "container" };
            let data = json!({"source": source, "line": line.text, "ts": time::rfc3339(line.at)});
            if events.send(None, Some(&cursor), &data.to_string()).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_moment_and_tells_lines_of_one_moment_apart() {
        let at = Timestamp::from_millis(1_764_158_461_007);
        let line = |number| LogLine { number, at, source: Source::Stdout, text: String::new() };
        let cursor = Cursor::of(&line(12));
        assert_eq!(cursor.text(), "2025-11-26T12:01:01.007000012Z");
        assert!(Cursor::parse(&cursor.text()).is_some_and(|parsed| parsed == cursor));
        assert!(Cursor::of(&line(13)) > cursor && Cursor::parse("2025-11-26T12:01:01Z").is_some());
        assert!(Cursor::parse("12").is_none());
    }
}
