//! HTTP headers that Flash itself reads and writes.

/// Names a request in answers and logs. A caller's own is kept where it is printable and has at most 128 bytes.
pub const REQUEST_ID: &str = "x-request-id";
/// When the caller no longer wants the answer, in milliseconds since the Unix epoch; a worker's own limit may be earlier.
/// The same moment as `__flash.deadline_unix_ms` in a job's input.
pub const DEADLINE: &str = "x-flash-deadline-unix-ms";
/// The trace that a request belongs to (W3C Trace Context).
pub const TRACEPARENT: &str = "traceparent";
/// Marks requests that mean the same call.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The worker that answered, or should answer (platform contract C).
pub const WORKER_ID: &str = "x-runpod-worker-id";
