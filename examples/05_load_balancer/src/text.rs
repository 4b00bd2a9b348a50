//! Looks at text and changes it.

use std::time::Instant;

use flash::prelude::*;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::error::UserError;
use crate::{CPU, ServiceHealth, millis_since, rounded};

/// Says that the service is there.
///
/// # Errors
/// Never.
#[remote(resource = CPU, method = "GET", path = "/health")]
pub async fn cpu_health() -> Result<ServiceHealth, UserError> {
    Ok(ServiceHealth::of("cpu"))
}

/// What [`validate`](fn@validate) found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Validation {
    /// Always `success`.
    pub status: String,
    /// Always true: text that is not valid is an error.
    pub is_valid: bool,
    /// Unicode code points, white space included.
    pub character_count: usize,
    /// Words between white space.
    pub word_count: usize,
    /// Characters, white space included, for each word; two decimals.
    pub average_word_length: f64,
    /// How long it took.
    pub process_time_ms: f64,
    /// When.
    pub timestamp: Timestamp,
}

/// Counts the characters and words of a text.
///
/// # Errors
/// A text of nothing but white space.
#[remote(resource = CPU, method = "POST", path = "/validate")]
pub async fn validate(text: String) -> Result<Validation, UserError> {
    let began = Instant::now();
    let word_count = text.split_whitespace().count();
    if word_count == 0 {
        return Err(UserError::EmptyText);
    }
    let character_count = text.chars().count();
    Ok(Validation {
        status: "success".to_owned(),
        is_valid: true,
        character_count,
        word_count,
        average_word_length: rounded(character_count as f64 / word_count as f64),
        process_time_ms: millis_since(began),
        timestamp: Timestamp::now(),
    })
}

/// What can be done with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// All letters large.
    #[default]
    Uppercase,
    /// All letters small.
    Lowercase,
    /// From the end to the beginning; what looks like one character stays one.
    Reverse,
    /// The first letter of each word large.
    Title,
}

impl Operation {
    fn apply(self, text: &str) -> String {
        match self {
            Self::Uppercase => text.to_uppercase(),
            Self::Lowercase => text.to_lowercase(),
            Self::Reverse => text.graphemes(true).rev().collect(),
            Self::Title => text.split_word_bounds().map(title).collect(),
        }
    }
}

fn title(word: &str) -> String {
    let mut letters = word.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect(),
        None => String::new(),
    }
}

/// What [`transform`](fn@transform) made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Transformed {
    /// Always `success`.
    pub status: String,
    /// The text that came.
    pub original: String,
    /// What became of it.
    pub transformed: String,
    /// How.
    pub operation: Operation,
    /// How long it took.
    pub process_time_ms: f64,
    /// When.
    pub timestamp: Timestamp,
}

/// Changes a text.
///
/// # Errors
/// A text of nothing but white space.
#[remote(resource = CPU, method = "POST", path = "/transform")]
pub async fn transform(
    text: String,
    #[remote(default)] operation: Operation,
) -> Result<Transformed, UserError> {
    let began = Instant::now();
    if text.trim().is_empty() {
        return Err(UserError::EmptyText);
    }
    let transformed = operation.apply(&text);
    Ok(Transformed {
        status: "success".to_owned(),
        original: text,
        transformed,
        operation,
        process_time_ms: millis_since(began),
        timestamp: Timestamp::now(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_text_is_counted_by_code_points_and_words() {
        let found = validate("Hello world from load balanced".to_owned()).await.unwrap();
        assert_eq!((found.character_count, found.word_count, found.average_word_length), (30, 5, 6.0));
        let found = validate(" naïve\tçafé ".to_owned()).await.unwrap();
        assert_eq!((found.character_count, found.word_count, found.average_word_length), (12, 2, 6.0));
        assert_eq!(validate(" \n".to_owned()).await.unwrap_err(), UserError::EmptyText);
    }

    #[test]
    fn every_operation_keeps_what_belongs_together() {
        for (operation, text, expected) in [
            (Operation::Uppercase, "straße", "STRASSE"),
            (Operation::Lowercase, "ÀB", "àb"),
            (Operation::Reverse, "ab👩‍👩‍👧e\u{301}", "e\u{301}👩‍👩‍👧ba"),
            (Operation::Title, "don't PANIC, élan", "Don't Panic, Élan"),
        ] {
            assert_eq!(operation.apply(text), expected);
        }
    }

    #[tokio::test]
    async fn no_text_is_the_callers_mistake() {
        assert_eq!(transform(String::new(), Operation::Title).await.unwrap_err(), UserError::EmptyText);
    }
}
