//! Connections that become something else: websockets.

use axum::body::Body;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::pool::Picked;

/// A request that asks for another protocol: its side of the connection, and the protocol.
pub(super) struct Upgrade {
    caller: OnUpgrade,
    protocol: HeaderValue,
}

impl Upgrade {
    /// Takes the caller's side out of a request. `None`: it asks for nothing of the kind.
    pub(super) fn of(request: &mut Request<Body>) -> Option<Self> {
        let asks = request.headers().get_all(CONNECTION).iter().any(|value| {
            let words = value.to_str().unwrap_or_default().split(',');
            words.map(str::trim).any(|word| word.eq_ignore_ascii_case("upgrade"))
        });
        let protocol = request.headers().get(UPGRADE).filter(|_| asks)?.clone();
        Some(Self { caller: hyper::upgrade::on(request), protocol })
    }

    /// Asks the worker for it too: these headers belong to one connection and were taken out.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, self.protocol.clone());
    }

    /// The worker agreed: what either side sends from now on goes to the other, until one of them ends. The worker counts
    /// as busy until then.
    pub(super) fn join(self, response: &mut Response<Incoming>, picked: Picked) {
        let worker = hyper::upgrade::on(response);
        tokio::spawn(async move {
            let joined = async {
                let (caller, worker) = tokio::try_join!(self.caller, worker)?;
                let (mut caller, mut worker) = (TokioIo::new(caller), TokioIo::new(worker));
                tokio::io::copy_bidirectional(&mut caller, &mut worker).await?;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            };
            if let Err(error) = joined.await {
                tracing::debug!(%error, "an upgraded connection broke");
            }
            drop(picked);
        });
    }
}
