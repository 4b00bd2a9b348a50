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

    /// Whether somebody is there who could answer.
    pub(crate) fn can_ask(&self) -> bool {
        std::io::stdin().is_terminal() && !self.json
    }

    /// Lets the user choose among rows of a table, by number. Gives their places; none is an answer too.
    pub(crate) fn choose(&self, head: &[&str], rows: &[Vec<String>]) -> Result<Vec<usize>, Failure> {
        let numbered: Vec<Vec<String>> = rows
            .iter()
            .enumerate()
            .map(|(at, row)| std::iter::once((at + 1).to_string()).chain(row.iter().cloned()).collect())
            .collect();
        let head: Vec<&str> = std::iter::once("").chain(head.iter().copied()).collect();
        let answer = ask(&format!("{}which ones? Numbers, or `all`: ", table(&head, &numbered)))?;
        chosen(&answer, rows.len())
    }

    /// Asks a question that `--force` answers with yes. Without a terminal nobody can answer, and nothing is done.
    pub(crate) fn confirm(&self, question: &str, force: bool) -> Result<(), Failure> {
        if force {
            return Ok(());
        }
        if !self.can_ask() {
            return Err(Failure::of(
                exit::USAGE,
                format!("{question} Nobody can answer: this is no terminal"),
            )
            .help("add --force to do it without a question"));
        }
        let answer = ask(&format!("{question} [y/N] "))?;
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Failure::new("nothing was done: the answer was no"))
    }
}

/// Asks somebody at the terminal.
#[allow(clippy::print_stderr, reason = "this is where a command speaks")]
fn ask(question: &str) -> Result<String, Failure> {
    eprint!("{question}");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::new(format!("the answer cannot be read: {error}")))?;
    Ok(answer)
}

/// Reads a choice among `count` numbered things: `all`, or their numbers from 1, in any order and however separated.
fn chosen(answer: &str, count: usize) -> Result<Vec<usize>, Failure> {
    if answer.trim().eq_ignore_ascii_case("all") {
        return Ok((0..count).collect());
    }
    let words = answer.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
    let mut chosen: Vec<usize> = words
        .map(|word| {
            let number = word.parse::<usize>().ok().filter(|number| (1..=count).contains(number));
            number.map(|number| number - 1).ok_or_else(|| {
                Failure::of(
                    exit::USAGE,
                    format!("`{word}` is none of the numbers 1 to {count}; nothing was done"),
                )
            })
        })
        .collect::<Result<_, _>>()?;
    chosen.sort_unstable();
    chosen.dedup();
    Ok(chosen)
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
    use super::{chosen, table};

    #[test]
    fn a_choice_is_numbers_or_all_and_a_wrong_one_does_nothing() {
        assert_eq!(chosen(" ALL\n", 3).unwrap(), [0, 1, 2]);
        assert_eq!(chosen("3, 1 3\n", 3).unwrap(), [0, 2]);
        assert_eq!(chosen("\n", 3).unwrap(), [0_usize; 0]);
        for wrong in ["0", "4", "words", "1 -2"] {
            assert!(chosen(wrong, 3).unwrap_err().text.contains("nothing was done"), "{wrong}");
        }
    }

    #[test]
    fn columns_line_up_and_lines_end_clean() {
        let rows = [vec!["a".to_owned(), "long cell".to_owned()], vec!["größer".to_owned(), String::new()]];
        assert_eq!(table(&["x", "y"], &rows), "x       y\na       long cell\ngrößer\n");
    }
}
