//! Exit codes of a Flash binary. They are part of its interface: a supervisor acts on them.

/// Everything went well; a worker was drained.
pub const OK: u8 = 0;
/// A function that was run once failed.
pub const FAILED: u8 = 1;
/// The command line or the environment makes no sense.
pub const USAGE: u8 = 2;
/// The address could not be bound.
pub const CANNOT_BIND: u8 = 3;
/// State that a function needs could not be built.
pub const STATE_FAILED: u8 = 4;
/// The manifest is invalid, or could not be written.
pub const INVALID_APP: u8 = 5;
/// Running jobs were not finished within the grace time.
pub const NOT_DRAINED: u8 = 6;
/// A function failed fatally, so the worker ended as unhealthy.
pub const UNHEALTHY: u8 = 7;
/// A check before the first job failed: too little memory or disk, or no usable GPU.
pub const UNFIT: u8 = 8;
