//! The files of artifacts, and the addresses under which they are put and fetched without a key: whoever has such an address
//! may use it, for this file, in this direction, until it expires.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::put;
use flash_core::clock::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use serde::Deserialize;
use sha2::Sha256;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::{Control, ControlError};
use crate::plane::Plane;

/// The files, and the secret behind their addresses. It is new for each start, which ends all addresses.
#[derive(Debug)]
pub(super) struct Artifacts {
    dir: PathBuf,
    base: String,
    secret: [u8; 32],
}

/// What an address is good for.
#[derive(Clone, Copy, Debug)]
enum Use {
    Put { size: u64 },
    Get,
}

impl Artifacts {
    pub(super) fn open(dir: PathBuf, plane: &Plane) -> Result<Self, ControlError> {
        std::fs::create_dir_all(&dir).map_err(|error| ControlError::Storage(error.to_string()))?;
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(Uuid::new_v4().as_bytes());
        secret[16..].copy_from_slice(Uuid::new_v4().as_bytes());
        Ok(Self { dir, base: plane.common.base.clone(), secret })
    }

    pub(super) fn upload_url(&self, key: &str, size: u64, expires: Timestamp) -> String {
        let token = hex(&self.sign(Use::Put { size }, key, expires).finalize().into_bytes());
        format!("{}/artifacts/{key}?expires={}&size={size}&token={token}", self.base, expires.as_millis())
    }

    pub(super) fn download_url(&self, key: &str, expires: Timestamp) -> String {
        let token = hex(&self.sign(Use::Get, key, expires).finalize().into_bytes());
        format!("{}/artifacts/{key}?expires={}&token={token}", self.base, expires.as_millis())
    }

    /// Where the file of an object is.
    pub(super) fn path(&self, key: &str) -> PathBuf {
        self.dir.join(key)
    }

    pub(super) fn remove(&self, key: &str) {
        if let Err(error) = std::fs::remove_file(self.path(key)) {
            tracing::warn!(key, %error, "failed to remove an artifact");
        }
    }

    /// Looks at an artifact that was uploaded, and answers its SHA-256.
    pub(super) fn check(&self, key: &str, size: u64) -> Result<String, ControlError> {
        let path = self.path(key);
        let missing =
            |_| ControlError::invalid("the artifact was not uploaded: PUT it to its uploadUrl first");
        let found = std::fs::metadata(&path).map_err(missing)?.len();
        if found != size {
            return Err(ControlError::invalid(format!(
                "the artifact has {found} bytes, and {size} were announced: upload it again"
            )));
        }
        let mut magic = [0; 2];
        let read = std::fs::File::open(&path).and_then(|mut file| file.read_exact(&mut magic));
        if read.is_err() || magic != [0x1f, 0x8b] {
            return Err(ControlError::invalid("the artifact is not a gzip file"));
        }
        flash_bootstrap::sha256_of_file(&path).map_err(|error| ControlError::Storage(error.to_string()))
    }

    fn sign(&self, purpose: Use, key: &str, expires: Timestamp) -> Hmac<Sha256> {
        // A key of any length is taken.
        #[expect(clippy::expect_used, reason = "HMAC has no wrong key length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("any length");
        let purpose = match purpose {
            Use::Put { size } => format!("PUT {size}"),
            Use::Get => "GET".to_owned(),
        };
        mac.update(format!("{purpose}\n{key}\n{}", expires.as_millis()).as_bytes());
        mac
    }

    /// Compared in constant time.
    fn verify(&self, purpose: Use, key: &str, ticket: &Ticket, now: Timestamp) -> Result<(), &'static str> {
        let expires = Timestamp::from_millis(ticket.expires);
        let token = unhex(&ticket.token).ok_or("the address is not valid")?;
        self.sign(purpose, key, expires).verify_slice(&token).map_err(|_| "the address is not valid")?;
        if now >= expires { Err("the address has expired") } else { Ok(()) }
    }
}

#[derive(Debug, Deserialize)]
struct Ticket {
    #[serde(default)]
    expires: u64,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    token: String,
}

pub(super) fn routes(control: &Arc<Control>) -> Router {
    Router::new().route("/artifacts/{app}/{file}", put(upload).get(download)).with_state(control.clone())
}

async fn upload(
    State(control): State<Arc<Control>>,
    Path((app, file)): Path<(String, String)>,
    Query(ticket): Query<Ticket>,
    body: Body,
) -> Response {
    let key = format!("{app}/{file}");
    let artifacts = &control.artifacts;
    if let Err(problem) = artifacts.verify(Use::Put { size: ticket.size }, &key, &ticket, control.now()) {
        return text(StatusCode::FORBIDDEN, problem);
    }
    match receive(artifacts, &key, ticket.size, body).await {
        Ok(()) => text(StatusCode::OK, ""),
        Err(Broken::Size(found)) => {
            let problem = format!("{} bytes were announced, and {found} or more came", ticket.size);
            text(StatusCode::BAD_REQUEST, &problem)
        }
        Err(Broken::Body(error)) => text(StatusCode::BAD_REQUEST, &format!("the body ended early: {error}")),
        Err(Broken::Disk(error)) => {
            tracing::error!(key, %error, "failed to keep an artifact");
            text(StatusCode::INSUFFICIENT_STORAGE, &format!("the artifact can not be kept: {error}"))
        }
    }
}

enum Broken {
    Size(u64),
    Body(axum::Error),
    Disk(std::io::Error),
}

impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Writes a body to its place. Nobody sees a part of it: it is renamed when it is complete.
async fn receive(artifacts: &Artifacts, key: &str, size: u64, mut body: Body) -> Result<(), Broken> {
    let path = artifacts.path(key);
    let parent = path.parent().unwrap_or(&artifacts.dir).to_owned();
    tokio::fs::create_dir_all(&parent).await?;
    // It removes itself, unless it gets its name.
    let fresh = tempfile::NamedTempFile::new_in(&parent)?;
    let mut file = tokio::fs::File::from_std(fresh.reopen()?);
    let mut found = 0;
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(Broken::Body)?.into_data() else { continue };
        found += bytes.len() as u64;
        if found > size {
            return Err(Broken::Size(found));
        }
        file.write_all(&bytes).await?;
    }
    if found != size {
        return Err(Broken::Size(found));
    }
    file.sync_all().await?;
    fresh.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

async fn download(
    State(control): State<Arc<Control>>,
    Path((app, file)): Path<(String, String)>,
    Query(ticket): Query<Ticket>,
) -> Response {
    let key = format!("{app}/{file}");
    if let Err(problem) = control.artifacts.verify(Use::Get, &key, &ticket, control.now()) {
        return text(StatusCode::FORBIDDEN, problem);
    }
    let path = control.artifacts.path(&key);
    let opened = async {
        let file = tokio::fs::File::open(&path).await?;
        let size = file.metadata().await?.len();
        Ok::<_, std::io::Error>((file, size))
    };
    let Ok((file, size)) = opened.await else { return text(StatusCode::NOT_FOUND, "artifact not found") };
    let stream = tokio_util::io::ReaderStream::with_capacity(file, 256 * 1024);
    let mut response = Response::new(Body::from_stream(stream));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/gzip"));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    response
}

fn text(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    response
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
