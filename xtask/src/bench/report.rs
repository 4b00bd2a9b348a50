//! What a benchmark found: a table for people, ratios for programs.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// A benchmark's result.
#[derive(Debug)]
pub(crate) struct Report {
    title: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
    ratios: Map<String, Value>,
}

impl Report {
    pub(crate) fn new(title: impl Into<String>, head: &[&str]) -> Self {
        let head = head.iter().map(|name| (*name).to_owned()).collect();
        Self { title: title.into(), head, rows: Vec::new(), notes: Vec::new(), ratios: Map::new() }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// A line under the table.
    pub(crate) fn note(&mut self, line: impl Into<String>) {
        self.notes.push(line.into());
    }

    /// A figure for programs.
    pub(crate) fn ratio(&mut self, key: &str, value: f64) {
        self.ratios.insert(key.to_owned(), rounded(value));
    }

    /// One of several figures of the same kind, for example by the number of connections.
    pub(crate) fn ratio_by(&mut self, key: &str, by: usize, value: f64) {
        self.ratio_by_name(key, &by.to_string(), value);
    }

    /// One of several figures of the same kind, by name.
    pub(crate) fn ratio_by_name(&mut self, key: &str, by: &str, value: f64) {
        let group = self.ratios.entry(key).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(group) = group {
            group.insert(by.to_owned(), rounded(value));
        }
    }

    /// The JSON object.
    pub(crate) fn ratios(&self) -> Value {
        Value::Object(self.ratios.clone())
    }

    /// The table.
    pub(crate) fn text(&self) -> String {
        let mut widths: Vec<usize> = self.head.iter().map(String::len).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.len());
            }
        }
        let mut text = format!("\n{}\n\n", self.title);
        for row in std::iter::once(&self.head).chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(line, "{cell:<width$}  ");
            }
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text.push('\n');
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        text
    }
}

/// The end of what a program wrote, where it says why it failed.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

fn rounded(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return Value::from(value as i64);
    }
    let value = (value * 1000.0).round() / 1000.0;
    // A ratio that could not be measured is missing, not a number that looks like one.
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_figures_grouped() {
        let mut report = Report::new("title", &["target", "rate"]);
        report.row(vec!["a long name".to_owned(), "1".to_owned()]);
        report.ratio_by("vs_axum", 16, 0.98765);
        report.ratio_by("vs_axum", 64, 1.0);
        report.ratio("idle_rss_mib", f64::NAN);
        assert!(report.text().contains("\ntarget       rate\na long name  1\n"), "{}", report.text());
        assert_eq!(report.ratios().to_string(), r#"{"idle_rss_mib":null,"vs_axum":{"16":0.988,"64":1}}"#);
    }
}
