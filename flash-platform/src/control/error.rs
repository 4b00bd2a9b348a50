use std::time::Duration;

/// Why the platform did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The key is missing or refused.
    #[error("{what}: {reason}")]
    Unauthorized {
        /// What was asked.
        what: String,
        /// Where the key is from, and what the platform said.
        reason: String,
    },
    /// There is no such thing.
    #[error("{what}: {reason}")]
    NotFound {
        /// What was asked.
        what: String,
        /// What the platform said.
        reason: String,
    },
    /// The platform understood and refused.
    #[error("{what}: the platform refused it: {reason}")]
    Refused {
        /// What was asked.
        what: String,
        /// HTTP status; 200 for an error inside of a GraphQL answer.
        status: u16,
        /// What the platform said, all of its reasons.
        reason: String,
    },
    /// Too many requests, even after waiting.
    #[error("{what}: too many requests{}\nhelp: try again later, or with fewer at once (--parallel)", wait(.retry_after))]
    RateLimited {
        /// What was asked.
        what: String,
        /// How long the platform wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// No answer, or one of a server that is in trouble.
    #[error("{what}: {reason}")]
    Unreachable {
        /// What was asked.
        what: String,
        /// What happened last, without keys and without queries of addresses.
        reason: String,
        /// How often it was tried.
        tries: u32,
    },
    /// An answer that is not what the platform's documentation says.
    #[error("{what}: the answer cannot be understood: {reason}")]
    BadAnswer {
        /// What was asked.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something on this machine.
    #[error("{what}: {reason}")]
    Local {
        /// What was asked.
        what: String,
        /// What failed.
        reason: String,
    },
}

fn wait(after: &Option<Duration>) -> String {
    after.map(|after| format!("; the platform asks for {} s", after.as_secs())).unwrap_or_default()
}

impl ControlError {
    /// Whether it says that something does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether the key is the problem.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Unauthorized { .. })
    }

    /// Whether it is unknown if the platform did what it was asked.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::BadAnswer { .. })
    }
}
