//! The table for people: what `flash platform parity` prints.

use std::fmt::Write as _;

use super::{Grade, LimitValue, Limits, Row};

/// The whole table as text: first what is documented, then what was observed, then what is assumed; and the switches, which
/// are the unknowns that can be decided otherwise.
///
/// Every name can be changed with [`Limits::set`].
pub fn render(limits: &Limits) -> String {
    let rows = limits.rows();
    let width = |column: fn(&Row) -> usize| rows.iter().map(column).max().unwrap_or_default();
    let (names, values) = (width(|row| row.name.len()), width(|row| row.value.to_string().len()));
    let mut text = String::new();
    let mut section = |title: &str, wanted: &dyn Fn(&Row) -> bool| {
        let mut wanted = rows.iter().filter(|row| wanted(row)).peekable();
        if wanted.peek().is_some() {
            let _ = writeln!(text, "{title}");
        }
        for row in wanted {
            let changed = if Limits::default().rows().contains(row) { "" } else { " (changed)" };
            let (name, value) = (row.name, row.value.to_string());
            let _ = writeln!(text, "  {name:names$}  {value:>values$}{changed}  {}", row.about);
            let _ = writeln!(text, "  {:names$}  {:values$}  source: {}", "", "", row.source);
        }
        text.push('\n');
    };
    section("documented by RunPod", &|row| row.grade == Grade::Documented);
    section("observed on the live platform or in its clients", &|row| row.grade == Grade::Observed);
    section("assumed: nobody outside knows", &|row| row.grade == Grade::Assumed && !is_switch(row));
    section("switches: behaviours that are unknown, or not wanted everywhere", &|row| {
        row.grade == Grade::Assumed && is_switch(row)
    });
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn is_switch(row: &Row) -> bool {
    matches!(row.value, LimitValue::Switch(_) | LimitValue::Choice(_))
}
