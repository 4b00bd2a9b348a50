use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};

/// The TLS set-up of every client: the provider is named, because an implicit one panics as soon as a user's program
/// links a second; the roots are the machine's and, as slim images have none, the bundled ones.
///
/// # Errors
/// A build without a TLS feature.
pub fn config() -> Result<ClientConfig, String> {
    let provider = provider().ok_or(
        "no TLS provider is built in, so https addresses cannot be reached\nhelp: enable the feature `tls-ring` or \
         `tls-aws-lc` of `flash`",
    )?;
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    // Single unusable certificates of the machine are skipped; the bundled roots remain.
    for certificate in rustls_native_certs::load_native_certs().certs {
        let _ = roots.add(certificate);
    }
    with_roots(provider, roots)
}

/// For plain addresses only: reqwest wants a TLS set-up even where none is used, and this one reads nothing.
pub(crate) fn config_without_roots() -> Option<ClientConfig> {
    with_roots(provider()?, RootCertStore::empty()).ok()
}

fn with_roots(provider: CryptoProvider, roots: RootCertStore) -> Result<ClientConfig, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn provider() -> Option<CryptoProvider> {
    #[cfg(feature = "tls-ring")]
    return Some(rustls::crypto::ring::default_provider());
    #[cfg(all(feature = "tls-aws-lc", not(feature = "tls-ring")))]
    return Some(rustls::crypto::aws_lc_rs::default_provider());
    #[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc")))]
    None
}
