use std::io::Write;
use std::path::Path;
use std::time::Duration;

use flash_platform::HttpClient;
use reqwest::Method;

use crate::error::ArtifactError;

/// Without a byte for this long a download is given up, and tried again by whoever waits for the artifact.
const STALLED: Duration = Duration::from_secs(30);

/// Something that brings an artifact from an address to a file.
pub trait Download {
    /// Downloads `url` to `file`, at most `limit` bytes.
    ///
    /// # Errors
    /// [`ArtifactError::Incomplete`] for whatever another try may cure.
    fn download(&self, url: &str, file: &Path, limit: u64) -> Result<(), ArtifactError>;
}

/// Downloads by HTTP.
#[derive(Debug, Clone, Default)]
pub struct HttpDownload {
    http: HttpClient,
}

impl Download for HttpDownload {
    fn download(&self, url: &str, file: &Path, limit: u64) -> Result<(), ArtifactError> {
        let io = |source| ArtifactError::Io { path: file.to_owned(), source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io)?;
        runtime.block_on(self.fetch(url, file, limit))
    }
}

impl HttpDownload {
    async fn fetch(&self, url: &str, path: &Path, limit: u64) -> Result<(), ArtifactError> {
        let io = |source| ArtifactError::Io { path: path.to_owned(), source };
        let failed = |text: String| ArtifactError::Incomplete(format!("{} {text}", redacted(url)));
        let request = self.http.request(Method::GET, url).map_err(|error| failed(error.to_string()))?;
        let answer = tokio::time::timeout(STALLED, request.send()).await;
        let mut response = answer
            .map_err(|_| failed("does not answer".to_owned()))?
            .map_err(|error| failed(format!("cannot be reached: {}", error.without_url())))?;
        if !response.status().is_success() {
            return Err(failed(format!("answered {}", response.status())));
        }
        let mut file = std::fs::File::create(path).map_err(io)?;
        let mut bytes = 0u64;
        loop {
            let chunk = tokio::time::timeout(STALLED, response.chunk()).await;
            let chunk = chunk
                .map_err(|_| failed("sends nothing any more".to_owned()))?
                .map_err(|error| failed(format!("broke off: {}", error.without_url())))?;
            let Some(chunk) = chunk else { break };
            bytes += chunk.len() as u64;
            if bytes > limit {
                return Err(ArtifactError::Bomb { what: "its size", found: bytes, limit });
            }
            file.write_all(&chunk).map_err(io)?;
        }
        Ok(())
    }
}

/// An address without its query, which is the key of a presigned one.
fn redacted(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
