//! Codes of the failures that Flash itself reports. User errors bring their own.

/// A failure without a code of its own.
pub const FAILED: &str = "failed";
/// Arguments that do not fit the function.
pub const INVALID_INPUT: &str = "invalid_input";
/// A body that is not JSON.
pub const INVALID_JSON: &str = "invalid_json";
/// A request of the wrong shape, such as a missing `input`.
pub const INVALID_REQUEST: &str = "invalid_request";
/// No function of this name.
pub const UNKNOWN_FUNCTION: &str = "unknown_function";
/// No route of this path.
pub const NOT_FOUND: &str = "not_found";
/// The path exists, but not with this verb.
pub const METHOD_NOT_ALLOWED: &str = "method_not_allowed";
/// The content type is not one the route reads.
pub const UNSUPPORTED_MEDIA_TYPE: &str = "unsupported_media_type";
/// Arguments over the limit.
pub const PAYLOAD_TOO_LARGE: &str = "payload_too_large";
/// A result over the limit.
pub const RESULT_TOO_LARGE: &str = "result_too_large";
/// The function panicked.
pub const PANIC: &str = "panic";
/// The time ran out.
pub const TIMEOUT: &str = "timeout";
/// The job was cancelled.
pub const CANCELLED: &str = "cancelled";
/// Something inside went wrong; the log says what, under the request id.
pub const INTERNAL: &str = "internal";
/// A call to another endpoint failed.
pub const UPSTREAM: &str = "upstream_failed";
/// The peer could not be reached.
pub const UNREACHABLE: &str = "unreachable";
/// The peer refused the key, or no key was there.
pub const UNAUTHORIZED: &str = "unauthorized";
/// No address is known for the peer.
pub const NO_ADDRESS: &str = "no_address";
/// The peer's answer could not be understood.
pub const BAD_ANSWER: &str = "bad_answer";
/// The endpoint calls another one without having said so.
pub const UNDECLARED_CALL: &str = "undeclared_call";
/// State that a function needs could not be built.
pub const STATE_FAILED: &str = "state_failed";
/// The worker has as many requests as it may run at once.
pub const OVERLOADED: &str = "overloaded";
/// The platform takes no more requests of this kind for a while.
pub const RATE_LIMITED: &str = "rate_limited";
/// The request did not arrive in time.
pub const REQUEST_TIMEOUT: &str = "request_timeout";
/// The worker is stopping.
pub const DRAINING: &str = "draining";
