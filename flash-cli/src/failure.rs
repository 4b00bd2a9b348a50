use std::fmt;

use flash_platform::control::ControlError;

/// Exit codes of `flash`. They are part of its interface (docs/exit-codes.md).
pub mod exit {
    /// Everything that was asked for is done and verified.
    pub const OK: u8 = 0;
    /// Something failed.
    pub const FAILED: u8 = 1;
    /// The command line makes no sense, or an answer is needed and there is no terminal.
    pub const USAGE: u8 = 2;
    /// It was done, but could not be verified. A deployment is taken back then.
    pub const UNVERIFIED: u8 = 3;
    /// A key is missing or refused.
    pub const AUTH: u8 = 4;
    /// The app does not build, or its manifest is invalid.
    pub const INVALID_APP: u8 = 5;
}

/// Why a command ends with another code than 0: what failed, why, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What and why; `help: ` on a line of its own says what to do.
    pub text: String,
}

impl Failure {
    /// A failure without a kind of its own.
    pub fn new(text: impl Into<String>) -> Self {
        Self { code: exit::FAILED, text: text.into() }
    }

    /// A failure of this kind.
    pub fn of(code: u8, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// Adds what to do, unless the text says it already.
    #[must_use]
    pub fn help(mut self, help: impl fmt::Display) -> Self {
        if !self.text.contains("\nhelp: ") {
            self.text = format!("{}\nhelp: {help}", self.text);
        }
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let code = if error.is_unauthorized() { exit::AUTH } else { exit::FAILED };
        Self::of(code, error.to_string())
    }
}

/// Adds what was being done to a failure of the operating system.
pub(crate) trait During<T> {
    fn during(self, what: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> During<T> for Result<T, E> {
    fn during(self, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("{what}: {error}")))
    }
}
