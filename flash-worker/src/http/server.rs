use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::listener::Listener;
use super::service::Service;
use super::socket::Socket;
use super::vitals::Order;
use super::watch::Watch;
use crate::shutdown::Shutdown;

/// Pause after the system had no socket to give, such as when too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Whether everything was finished when a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drained {
    /// Yes. A WebSocket that its client keeps open beyond the grace time counts as finished.
    All,
    /// Some requests were cut off.
    Unfinished,
}

/// Serves until `shutdown` begins, then takes its leave within `grace`: goes on answering until `lingered` is over, asks
/// every client to close, and finishes what is under way.
///
/// # Errors
/// The listener is gone.
pub(crate) async fn serve(
    listener: Listener,
    service: Service,
    shutdown: Shutdown,
    lingered: impl Future<Output = ()>,
    grace: Duration,
) -> io::Result<Drained> {
    let clock = service.app.clock().clone();
    let watch = Arc::new(Watch::new(clock.clone(), service.limits));
    let watching = tokio::spawn({
        let watch = Arc::clone(&watch);
        async move { watch.run().await }
    });
    let service = Arc::new(service);
    let mut stop = pin!(async {
        shutdown.started().await;
        service.leaving.start();
        let until = clock.now() + grace;
        lingered.await;
        until
    });
    let until = loop {
        tokio::select! {
            biased;
            until = &mut stop => break until,
            () = accept(&listener, &watch, &service) => {}
        }
    };
    // Who has been accepted by the system but not by us would be cut off.
    while let Ok(stream) = tokio::time::timeout(Duration::ZERO, listener.0.accept()).await {
        match stream {
            Ok((stream, _)) => connect(stream, &watch, &service),
            Err(_) => break,
        }
    }
    drop(listener);
    watch.order(Order::Finish);
    let all_gone = clock.timeout_at(until, watch.all_gone()).await.is_ok();
    watching.abort();
    Ok(if all_gone || watch.has_only_upgraded() { Drained::All } else { Drained::Unfinished })
}

async fn accept(listener: &Listener, watch: &Arc<Watch>, service: &Arc<Service>) {
    watch.room().await;
    match listener.0.accept().await {
        Ok((stream, _)) => connect(stream, watch, service),
        Err(error) => {
            // One client that is gone before it is accepted says nothing about the next.
            tracing::debug!(%error, "a connection could not be accepted");
            if !is_of_one_connection(&error) {
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn connect(stream: TcpStream, watch: &Arc<Watch>, service: &Arc<Service>) {
    // An answer goes out at once, not when the next one comes.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let registered = watch.register();
    let vitals = Arc::clone(registered.vitals());
    let service = Arc::clone(service);
    tokio::spawn(async move {
        let mut builder = http1::Builder::new();
        // The watch has the time of all connections; hyper's own would set a timer for each request.
        builder.header_read_timeout(None).max_header_size(service.limits.head);
        let socket = Socket::new(stream, registered);
        let answering = {
            let vitals = Arc::clone(&vitals);
            service_fn(move |request| Arc::clone(&service).call(Arc::clone(&vitals), request))
        };
        let mut connection = pin!(builder.serve_connection(TokioIo::new(socket), answering).with_upgrades());
        let mut known = Order::None;
        loop {
            let mut ordered = pin!(vitals.order(known));
            tokio::select! {
                served = connection.as_mut() => {
                    if let Err(error) = served {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    return;
                }
                order = &mut ordered => match order {
                    Order::Finish => {
                        known = order;
                        connection.as_mut().graceful_shutdown();
                    }
                    _ => return,
                },
            }
        }
    });
}
