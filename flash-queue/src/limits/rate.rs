//! How many requests are served.

/// A rate limit of one operation of one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests per window.
    pub requests: u32,
    /// Requests that are served at the same time. Zero: there is no such limit.
    pub concurrent: u32,
}

impl Rate {
    /// So many requests per window, and so many at the same time (zero: any number).
    pub const fn new(requests: u32, concurrent: u32) -> Self {
        Self { requests, concurrent }
    }
}
