//! Stage one: check the text and reduce it to what the model reads.

use std::sync::LazyLock;

use flash::RemoteError;
use regex::Regex;
use serde::{Deserialize, Serialize};

/// Fewest characters a text may have, surrounding white space not counted.
pub const MIN_CHARS: usize = 3;
/// Most characters a text may have, surrounding white space not counted.
pub const MAX_CHARS: usize = 10_000;

/// Why a text cannot be classified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, RemoteError, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[remote(status = 422, terminal)]
pub enum TextError {
    /// Nothing but white space.
    #[error("the text is blank\nhelp: send at least {MIN_CHARS} characters")]
    Blank,
    /// Below [`MIN_CHARS`].
    #[error("the text has {chars} characters, fewer than {MIN_CHARS}")]
    TooShort {
        /// Characters found.
        chars: usize,
    },
    /// Above [`MAX_CHARS`].
    #[error("the text has {chars} characters, more than {MAX_CHARS}\nhelp: split it and classify the parts")]
    TooLong {
        /// Characters found.
        chars: usize,
    },
    /// Only punctuation, emoji or other symbols.
    #[error("the text has no words, only punctuation or symbols")]
    NoWords,
}

/// What cleaning made of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanText {
    /// Words and the punctuation `.,!?-`, single-spaced.
    pub cleaned_text: String,
    /// Pieces between white space.
    pub word_count: usize,
    /// See [`sentence_count`].
    pub sentence_count: usize,
    /// Characters (Unicode scalar values, not bytes) of the cleaned text.
    pub char_count: usize,
}

/// Checks and cleans a text.
///
/// Letters and digits of every script stay, and so do `.,!?-`; apostrophes, emoji and other symbols go ("don't" becomes
/// "dont", which is how the model was trained).
///
/// # Errors
/// [`TextError`] when the text is blank, too short, too long, or has no words.
pub fn clean(text: &str) -> Result<CleanText, TextError> {
    static DROPPED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[^\w\s.,!?-]").expect("the pattern is a valid regular expression"));

    check_length(text)?;
    let kept = DROPPED.replace_all(text, "");
    // Spaces are joined after symbols are gone, because a symbol between two spaces would leave two.
    let words: Vec<&str> = kept.split_whitespace().collect();
    let cleaned_text = words.join(" ");
    if !cleaned_text.chars().any(char::is_alphanumeric) {
        return Err(TextError::NoWords);
    }
    Ok(CleanText {
        word_count: words.len(),
        sentence_count: sentence_count(&cleaned_text),
        char_count: cleaned_text.chars().count(),
        cleaned_text,
    })
}

/// Checks that a text is neither blank nor outside of [`MIN_CHARS`] to [`MAX_CHARS`].
///
/// # Errors
/// The [`TextError`] that applies.
pub fn check_length(text: &str) -> Result<(), TextError> {
    match text.trim().chars().count() {
        0 => Err(TextError::Blank),
        chars if chars < MIN_CHARS => Err(TextError::TooShort { chars }),
        chars if chars > MAX_CHARS => Err(TextError::TooLong { chars }),
        _ => Ok(()),
    }
}

/// How many sentences a text has: the pieces between runs of `.`, `!` and `?` that are not blank.
///
/// The full stop that ends a text therefore adds nothing. (A plain split, as the Python example does it, counts one
/// more for every text that ends in punctuation.)
#[must_use]
pub fn sentence_count(text: &str) -> usize {
    text.split(['.', '!', '?']).filter(|piece| !piece.trim().is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_keeps_words_and_sentence_punctuation() {
        let clean = clean("  I   don't\tlike <b>it</b>...\n but well-made, really?! ").unwrap();
        assert_eq!(clean.cleaned_text, "I dont like bitb... but well-made, really?!");
        assert_eq!((clean.word_count, clean.sentence_count, clean.char_count), (7, 2, 43));
    }

    #[test]
    fn every_script_counts_as_words() {
        assert_eq!(clean("Schön, très bien! 很好").unwrap().cleaned_text, "Schön, très bien! 很好");
    }

    #[test]
    fn emoji_are_dropped_without_leaving_a_gap() {
        let clean = clean("I love 😍 it 🎉!").unwrap();
        assert_eq!((clean.cleaned_text.as_str(), clean.word_count), ("I love it !", 4));
    }

    #[test]
    fn a_trailing_full_stop_is_not_a_sentence() {
        for (text, count) in
            [("One.", 1), ("One. Two!", 2), ("One... two?!", 2), ("no end", 1), ("...", 0), ("", 0)]
        {
            assert_eq!(sentence_count(text), count, "{text:?}");
        }
    }

    #[test]
    fn unusable_texts_are_refused_with_the_reason() {
        assert_eq!(clean(" \n\t "), Err(TextError::Blank));
        assert_eq!(clean(" ok "), Err(TextError::TooShort { chars: 2 }));
        assert_eq!(clean(&"x".repeat(MAX_CHARS + 1)), Err(TextError::TooLong { chars: MAX_CHARS + 1 }));
        assert_eq!(clean("!!! 🙂 ..."), Err(TextError::NoWords));
        assert_eq!(TextError::TooShort { chars: 2 }.to_string(), "the text has 2 characters, fewer than 3");
    }

    #[test]
    fn limits_count_characters_not_bytes() {
        assert!(clean("äöü").is_ok());
        assert!(clean(&"é".repeat(MAX_CHARS)).is_ok());
    }
}
