//! `anyhow` and `eyre` as errors of remote functions.

use flash_core::{RemoteError, WireError};

#[test]
fn the_message_travels_and_the_causes_stay() {
    let cause = std::io::Error::other("the secret inside");
    let error = anyhow::Error::new(cause).context("the model could not be loaded");
    let wire = error.to_wire();
    assert_eq!((&*wire.code, &*wire.message), ("failed", "the model could not be loaded"));
    assert_eq!(wire.internal.as_deref(), Some("the secret inside"));
    assert!(!serde_json::to_string(&wire).unwrap().contains("secret"));
    assert_eq!(anyhow::Error::from_wire(wire).unwrap().to_string(), "the model could not be loaded");

    // The platform's own failures stay what they are.
    let timeout = WireError::new("timeout", "too late");
    assert_eq!(eyre::Report::from_wire(timeout.clone()).unwrap_err(), timeout);
    assert_eq!(eyre::Report::msg("no").to_wire().message, "no");
}
