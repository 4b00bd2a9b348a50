use std::fmt;

use flash_core::Scope;
use flash_core::boot::Boot;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Longest message of a line; the platform's own worker cuts there too (platform contract B.13).
const LONGEST: usize = 4096;

/// Installs the log, unless the program brought its own: lines of JSON as RunPod reads them when an endpoint id is
/// set, else text for people.
pub(crate) fn install(boot: &Boot) {
    let filter = targets(boot.log.as_deref());
    let registry = tracing_subscriber::registry().with(filter);
    let result = if boot.endpoint_id.is_some() {
        let layer = tracing_subscriber::fmt::layer().event_format(RunPodLine).with_writer(std::io::stdout);
        registry.with(layer).try_init()
    } else {
        use std::io::IsTerminal;
        let layer = tracing_subscriber::fmt::layer()
            .without_time()
            .with_target(false)
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        registry.with(layer).try_init()
    };
    if result.is_err() {
        tracing::debug!("the program has a log of its own");
    }
}

/// `info` unless the environment says otherwise: `debug`, or `my_app=debug,flash_worker=trace`.
fn targets(text: Option<&str>) -> Targets {
    let info = Targets::new().with_default(LevelFilter::INFO);
    match text {
        None => info,
        // Python's name for a level that tracing calls otherwise.
        Some(text) if text.eq_ignore_ascii_case("notset") => Targets::new().with_default(LevelFilter::TRACE),
        Some(text) => text.to_ascii_lowercase().parse().unwrap_or(info),
    }
}

/// One JSON object a line (platform contract B.13).
struct RunPodLine;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    request_id: Option<&'a str>,
    message: &'a str,
    level: &'static str,
}

impl<S, N> FormatEvent<S, N> for RunPodLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut text = Text::default();
        event.record(&mut text);
        let level = match *event.metadata().level() {
            Level::ERROR => "ERROR",
            Level::WARN => "WARN",
            Level::INFO => "INFO",
            Level::DEBUG => "DEBUG",
            Level::TRACE => "TRACE",
        };
        let scope = Scope::current();
        let request_id = text.request_id.as_deref().or_else(|| scope.as_ref().map(Scope::request_id));
        let message = shortened(&text.message);
        let line = Line { request_id, message: &message, level };
        let line = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
        writeln!(writer, "{line}")
    }
}

#[derive(Default)]
struct Text {
    message: String,
    request_id: Option<String>,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            // The message stands first, whatever the order of the fields.
            "message" => self.message = format!("{value:?}{}", self.message),
            "request_id" => self.request_id = Some(format!("{value:?}")),
            name => self.message.push_str(&format!(" {name}={value:?}")),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "request_id" => self.request_id = Some(value.to_owned()),
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }
}

/// The first and the last half of a message that is too long.
fn shortened(message: &str) -> std::borrow::Cow<'_, str> {
    let length = message.chars().count();
    if length <= LONGEST {
        return message.into();
    }
    let half = LONGEST / 2;
    let head: String = message.chars().take(half).collect();
    let tail: String = message.chars().skip(length - half).collect();
    format!("{head}\n...TRUNCATED {} CHARACTERS...\n{tail}", length - LONGEST).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_keep_both_ends() {
        let text = format!("{}{}", "a".repeat(3000), "b".repeat(3000));
        let short = shortened(&text);
        assert!(short.starts_with('a') && short.ends_with('b'));
        assert!(short.contains("...TRUNCATED 1904 CHARACTERS..."));
    }

    #[test]
    fn python_level_names_work() {
        for name in ["INFO", "debug", "NOTSET", "ERROR"] {
            assert_ne!(targets(Some(name)).to_string(), "off", "{name}");
        }
    }
}
