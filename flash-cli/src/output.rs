use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::failure::{Failure, exit};
use crate::report;

/// Where a command tells what it does: progress and remarks on standard error, the result on standard output. With `--json`
/// standard output holds exactly one JSON document.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// The result is for a program.
    pub json: bool,
    /// Nothing but the result and errors.
    pub quiet: bool,
}

impl Output {
    /// A remark on what is being done.
    #[allow(clippy::print_stderr, reason = "this is where a command speaks")]
    pub fn note(&self, text: impl std::fmt::Display) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// Something the user should know, whatever else is asked for.
    #[allow(clippy::print_stderr, reason = "this is where a command speaks")]
    pub fn warn(&self, text: impl std::fmt::Display) {
        eprintln!("{}warning{}: {text}", self.style("\x1b[33m"), self.style("\x1b[0m"));
    }

    /// The result: text for people, or the document for programs.
    pub(crate) fn result(&self, text: &str, document: &impl Serialize) {
        let mut out = std::io::stdout().lock();
        let text = if self.json { written(serde_json::to_string_pretty(document)) } else { text.to_owned() };
        // A closed pipe (`flash ps | head -1`) is no failure of the command.
        let _ = writeln!(out, "{}", text.trim_end());
    }

    /// One line of a result that comes bit by bit; a JSON document per line with `--json`.
    pub(crate) fn line(&self, text: &str, document: &impl Serialize) -> bool {
        let mut out = std::io::stdout().lock();
        let text = if self.json { written(serde_json::to_string(document)) } else { text.to_owned() };
        writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
    }

    #[allow(clippy::print_stderr, reason = "this is where a command speaks")]
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json {
            let (message, help) = match failure.text.split_once("\nhelp: ") {
                Some((message, help)) => (message, Some(help)),
                None => (failure.text.as_str(), None),
            };
            let error = report::Error {
                message: message.to_owned(),
                help: help.map(ToOwned::to_owned),
                exit_code: failure.code,
            };
            self.result("", &report::Failed { error });
        }
        let (red, reset) = (self.style("\x1b[31m"), self.style("\x1b[0m"));
        eprintln!("{red}error{reset}: {failure}");
    }

    /// An escape sequence, where standard error is a terminal that wants colours.
    fn style<'a>(&self, sequence: &'a str) -> &'a str {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if !plain && std::io::stderr().is_terminal() { sequence } else { "" }
    }

    /// A bar for bytes that are on their way; hidden where nobody sees it.
    pub(crate) fn bytes_bar(&self, what: &str) -> ProgressBar {
        let template = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}";
        self.bar(ProgressBar::new(0), template, what)
    }

    /// A wheel for something whose length nobody knows.
    pub(crate) fn spinner(&self, what: &str) -> ProgressBar {
        let bar = self.bar(ProgressBar::new_spinner(), "{spinner} {msg} {elapsed}", what);
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    fn bar(&self, bar: ProgressBar, template: &str, what: &str) -> ProgressBar {
        if self.quiet || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_message(what.to_owned());
        bar
    }

    /// Asks a question that `--force` answers with yes. Without a terminal nobody can answer, and nothing is done.
    pub(crate) fn confirm(&self, question: &str, force: bool) -> Result<(), Failure> {
        if force {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() || self.json {
            return Err(Failure::of(
                exit::USAGE,
                format!("{question} Nobody can answer: this is no terminal"),
            )
            .help("add --force to do it without a question"));
        }
        #[allow(clippy::print_stderr, reason = "this is where a command speaks")]
        {
            eprint!("{question} [y/N] ");
        }
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        std::io::stdin()
            .read_line(&mut answer)
            .map_err(|error| Failure::new(format!("the answer cannot be read: {error}")))?;
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Failure::new("nothing was done: the answer was no"))
    }
}

/// The types of the documents have nothing that JSON does not; what cannot be is said where somebody looks.
fn written(document: serde_json::Result<String>) -> String {
    document.unwrap_or_else(|error| format!("{{\"error\": {{\"message\": \"{error}\"}}}}"))
}

/// Columns that line up.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    for row in std::iter::once(&head).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a string cannot fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_line_up_and_lines_end_clean() {
        let rows = [vec!["a".to_owned(), "long cell".to_owned()], vec!["größer".to_owned(), String::new()]];
        assert_eq!(table(&["x", "y"], &rows), "x       y\na       long cell\ngrößer\n");
    }
}
