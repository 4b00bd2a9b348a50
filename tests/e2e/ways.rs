//! The ways from a queue worker to its queue that the local platform does not have: TLS, and a proxy.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use flash_platform::HttpClient;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::queue_worker::Worker;
use crate::recording_queue::Script;

/// Ends TLS in front of a queue. The certificate, which nobody signed, is written to this file.
async fn behind_tls(queue: SocketAddr, certificate: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(certificate, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust the certificate hangs up here.
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut server = TcpStream::connect(queue).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    format!("https://localhost:{port}")
}

/// A proxy for plain addresses, and how many requests it passed on.
async fn proxy() -> (String, Arc<AtomicUsize>) {
    async fn pass_on(State(count): State<Arc<AtomicUsize>>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let host = parts.uri.host().expect("what a proxy is asked for is a whole address");
        assert_eq!(host, "queue.invalid", "only the proxy knows the way");
        let body = axum::body::to_bytes(body, 1_000_000).await.unwrap();
        let to = format!(
            "http://127.0.0.1:{}{}",
            parts.uri.port_u16().unwrap(),
            parts.uri.path_and_query().unwrap()
        );
        let request = HttpClient::new().request(parts.method, &to).unwrap().headers(parts.headers).body(body);
        count.fetch_add(1, Ordering::Relaxed);
        match request.send().await {
            Ok(answer) => {
                let status = answer.status();
                (status, Body::from(answer.bytes().await.unwrap())).into_response()
            }
            Err(error) => panic!("{error}"),
        }
    }
    let count = Arc::new(AtomicUsize::new(0));
    let app = Router::new().fallback(pass_on).with_state(count.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (format!("http://{address}"), count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_both_ways_through_tls() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = directory.path().join("certificate.pem");
    let script = Script::default().job("j1", &json!({"method": "same", "value": "ä"}));
    let queue = behind_tls(script.serve(), &certificate).await;
    let trusted = [("SSL_CERT_FILE", certificate.to_str().unwrap())];
    let worker = Worker::start(&queue, directory.path(), &trusted);
    script.results_at_least(1).await;
    assert_eq!(script.result_of("j1"), json!({"output": "ä"}));
    assert!(script.all(|_| true).iter().all(|seen| seen.authorization == "fake-worker-key"));
    drop(worker);
}

/// The key of the endpoint is not told to somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_whose_certificate_nobody_vouches_for_is_told_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let script = Script::default().job("j1", &json!({"method": "same", "value": 1}));
    let queue = behind_tls(script.serve(), &directory.path().join("certificate.pem")).await;
    let worker = Worker::start(&queue, directory.path(), &[]);
    while !worker.lines().iter().any(|line| line["message"].as_str().unwrap().contains("UnknownIssuer")) {
        tokio::task::yield_now().await;
    }
    assert!(script.all(|_| true).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_behind_a_proxy_goes_through_it() {
    for name in ["HTTP_PROXY", "http_proxy"] {
        let directory = tempfile::tempdir().unwrap();
        let script = Script::default().job("j1", &json!({"method": "same", "value": 1}));
        let queue = format!("http://queue.invalid:{}", script.serve().port());
        let (address, passed) = proxy().await;
        let worker = Worker::start(&queue, directory.path(), &[(name, &address)]);
        script.results_at_least(1).await;
        assert_eq!(script.result_of("j1"), json!({"output": 1}));
        assert!(passed.load(Ordering::Relaxed) >= 2, "one take and one result");
        drop(worker);
    }
}
