use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that is wrong with the arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where, such as `input.top` or `body.items[2].name`.
    pub path: String,
    /// What, such as `expected u32, got string`.
    pub message: String,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl FieldError {
    /// Says what serde found wrong, in the words of this crate: `expected u32, got string`.
    pub(crate) fn from_serde(path: String, text: &str) -> Self {
        // serde_json ends its messages with the position in the field's own text, which means nothing to a caller.
        let text = text.rsplit_once(" at line ").map_or(text, |(head, _)| head);
        Self { path, message: reword(text) }
    }
}

fn reword(text: &str) -> String {
    let Some((got, expected)) = text
        .strip_prefix("invalid type: ")
        .or_else(|| text.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return text.to_owned();
    };
    // A string may be long or secret, so only its kind is named.
    let got = if got.starts_with("string ") {
        "string"
    } else if text.starts_with("invalid value") {
        got
    } else if got.starts_with("integer ") {
        "integer"
    } else if got.starts_with("floating point ") {
        "number"
    } else if got.starts_with("boolean ") {
        "boolean"
    } else if got == "map" {
        "object"
    } else if got == "sequence" {
        "array"
    } else {
        got
    };
    format!("expected {expected}, got {got}")
}

#[cfg(test)]
mod tests {
    use super::reword;

    #[test]
    fn serde_messages_become_expected_and_got() {
        for (text, reworded) in [
            ("invalid type: string \"x, expected y\", expected u32", "expected u32, got string"),
            ("invalid type: map, expected a string", "expected a string, got object"),
            ("invalid value: integer `-1`, expected u32", "expected u32, got integer `-1`"),
            ("invalid type: floating point `1.5`, expected u8", "expected u8, got number"),
            ("missing field `name`", "missing field `name`"),
        ] {
            assert_eq!(reword(text), reworded);
        }
    }
}
