//! What the control plane refuses, and why.

/// An operation of the control plane that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The key is missing or wrong.
    #[error("unauthorized: missing or wrong API key\nhelp: send it as `Authorization: Bearer KEY`")]
    Unauthorized,
    /// There is nothing of this kind and name. Clients look for `not found` in the text (platform contract D.1).
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The request can not be understood at all.
    #[error("{0}")]
    Malformed(String),
    /// Everything that is wrong with the request.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// The request contradicts what is there.
    #[error("{0}")]
    Conflict(String),
    /// The state can not be kept.
    #[error("state of the control plane can not be kept: {0}\nhelp: is the disk full? nothing was changed")]
    Storage(String),
}

impl ControlError {
    pub(super) fn invalid(problem: impl Into<String>) -> Self {
        Self::Invalid(vec![problem.into()])
    }
}
