//! The smallest app: one function on one queue endpoint.

use flash::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One core is enough for hashing.
pub static STANDALONE_WORKER: Endpoint =
    Endpoint::queue("00_standalone_worker").cpu(&["cpu3c-1-2"]).workers(0, 2).idle_timeout_secs(5);

/// Most rounds that one job may ask for: about a tenth of a second.
pub const MOST_ROUNDS: u32 = 1_000_000;
/// Longest text, in bytes.
pub const LONGEST_TEXT: usize = 1_000_000;

/// What was asked for, as the function understood it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The text.
    pub text: String,
    /// How often it was hashed.
    pub rounds: u32,
}

/// What [`process`](fn@process) answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Processed {
    /// Always `processed`: a failure is an error, not an answer.
    pub result: String,
    /// What was asked for.
    pub input: Input,
    /// The last of the hashes, each of the one before, in hexadecimal.
    pub sha256: String,
    /// Words of the text.
    pub word_count: usize,
    /// Which release answered.
    pub release: String,
}

/// What can be wrong with the input.
#[derive(Debug, thiserror::Error, RemoteError)]
pub enum ProcessError {
    /// Too few or too many rounds.
    #[error("rounds is {rounds}, and must be 1 to {most}")]
    #[remote(code = "rounds_out_of_range")]
    Rounds {
        /// What was asked for.
        rounds: u32,
        /// The most.
        most: u32,
    },
    /// Too long a text.
    #[error("the text has {bytes} bytes, and may have {longest}")]
    #[remote(code = "text_too_long")]
    TooLong {
        /// What was sent.
        bytes: usize,
        /// The most.
        longest: usize,
    },
}

/// Hashes a text with SHA-256, and the hash again, `rounds` times in all.
///
/// It is not `async`: it computes, so it runs on a thread of its own and keeps nobody waiting.
///
/// # Errors
/// [`ProcessError`] when text or rounds are out of range.
#[remote(resource = STANDALONE_WORKER)]
pub fn process(text: String, #[remote(default = 1)] rounds: u32) -> Result<Processed, ProcessError> {
    if !(1..=MOST_ROUNDS).contains(&rounds) {
        return Err(ProcessError::Rounds { rounds, most: MOST_ROUNDS });
    }
    if text.len() > LONGEST_TEXT {
        return Err(ProcessError::TooLong { bytes: text.len(), longest: LONGEST_TEXT });
    }
    let mut hash = Sha256::digest(&text);
    for _ in 1..rounds {
        hash = Sha256::digest(hash);
    }
    Ok(Processed {
        result: "processed".to_owned(),
        sha256: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        word_count: text.split_whitespace().count(),
        input: Input { text, rounds },
        release: "one".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_text_has_its_known_hash() {
        let answer = process("hello".to_owned(), 1).unwrap();
        assert_eq!(answer.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        assert_eq!(answer.word_count, 1);
        let twice = process("hello".to_owned(), 2).unwrap();
        // SHA-256 of the 32 bytes above.
        assert_eq!(twice.sha256, "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50");
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        for rounds in [0, MOST_ROUNDS + 1] {
            assert!(matches!(process(String::new(), rounds), Err(ProcessError::Rounds { .. })));
        }
        let long = "x".repeat(LONGEST_TEXT + 1);
        assert!(matches!(process(long, 1), Err(ProcessError::TooLong { .. })));
    }

    #[tokio::test]
    async fn the_default_is_one_round() {
        let answer = process::remote("hello".to_owned(), 1).await.unwrap();
        assert_eq!(answer.input.rounds, 1);
    }
}
