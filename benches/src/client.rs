//! The client of the programs that stand for what somebody writes without Flash.

use std::sync::Arc;

/// reqwest as it is, with TLS compiled in as ours has; it knows no certificates, because the benchmarks speak plain HTTP.
///
/// # Errors
/// When reqwest or rustls cannot be set up.
pub fn bare() -> Result<reqwest::Client, Box<dyn std::error::Error + Send + Sync>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls).build()?)
}
