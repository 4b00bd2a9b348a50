use std::net::SocketAddr;
use std::sync::Arc;

use flash_core::boot::Boot;
use flash_core::clock::{Clock, TestClock};
use flash_core::{App, Endpoint, Registry};
use flash_worker::Shutdown;
use flash_worker::http::{HttpError, HttpWorker};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// A worker of the endpoint `web` in this process.
pub(super) struct Web {
    pub(super) address: SocketAddr,
    pub(super) shutdown: Shutdown,
    pub(super) running: JoinHandle<Result<(), HttpError>>,
}

impl Web {
    pub(super) async fn start() -> Self {
        Self::start_with(Clock::real(), Boot::default()).await
    }

    pub(super) async fn with_clock(clock: &TestClock) -> Self {
        Self::start_with(clock.clock(), Boot::default()).await
    }

    pub(super) async fn start_with(clock: Clock, boot: Boot) -> Self {
        Self::serve(&flash_tests::web::WEB, clock, boot).await
    }

    pub(super) async fn serve(endpoint: &'static Endpoint, clock: Clock, mut boot: Boot) -> Self {
        boot.port = Some(0);
        boot.host = Some([127, 0, 0, 1].into());
        let registry = Arc::new(Registry::linked().unwrap());
        let app = App::of(registry).with_clock(clock);
        let worker = HttpWorker::bind(app, endpoint, boot).await.unwrap();
        let address = worker.address().unwrap();
        let shutdown = Shutdown::new();
        let running = tokio::spawn(worker.run(shutdown.clone()));
        let web = Self { address, shutdown, running };
        while web.get("/ping").await.status != 200 {
            tokio::task::yield_now().await;
        }
        web
    }

    pub(super) async fn connect(&self) -> Connection {
        Connection::to(self.address).await
    }

    /// Sends these bytes on a connection of their own, and reads the answer.
    pub(super) async fn raw(&self, request: &[u8]) -> Answer {
        let mut connection = self.connect().await;
        connection.send(request).await;
        connection.answer().await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.raw(&request("GET", path, "", b"")).await
    }

    pub(super) async fn post(&self, path: &str, body: &str) -> Answer {
        self.raw(&request("POST", path, "content-type: application/json\r\n", body.as_bytes())).await
    }

    pub(super) async fn stop(self) {
        self.shutdown.start();
        // A worker waits for its gateway to hear of it.
        while self.get("/ping").await.status == 200 {
            tokio::task::yield_now().await;
        }
        self.running.await.unwrap().unwrap();
    }
}

pub(super) fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n")
            .into_bytes();
    request.extend_from_slice(body);
    request
}

/// What a client of no kindness sees.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub(super) async fn to(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), read: Vec::new() }
    }

    /// Sends what the server takes; one that has closed takes nothing more.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    async fn more(&mut self) -> bool {
        let mut piece = [0; 16 * 1024];
        match self.stream.read(&mut piece).await {
            Ok(0) | Err(_) => false,
            Ok(size) => {
                self.read.extend_from_slice(&piece[..size]);
                true
            }
        }
    }

    /// Whether the server has sent something by now.
    pub(super) fn has_more(&mut self) -> bool {
        let mut piece = [0; 1024];
        let size = self.stream.try_read(&mut piece).unwrap_or_default();
        self.read.extend_from_slice(&piece[..size]);
        size > 0
    }

    /// Reads until the server closes the connection.
    pub(super) async fn until_closed(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.read)
    }

    /// Reads until this text has come.
    pub(super) async fn until(&mut self, text: &str) -> String {
        loop {
            let read = String::from_utf8_lossy(&self.read).into_owned();
            if read.contains(text) {
                return read;
            }
            assert!(self.more().await, "closed before {text:?}: {read}");
        }
    }

    /// Reads one whole answer.
    pub(super) async fn answer(&mut self) -> Answer {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            assert!(self.more().await, "closed before an answer: {}", String::from_utf8_lossy(&self.read));
        };
        let head = String::from_utf8(self.read[..end].to_vec()).unwrap();
        let mut answer = Answer::of(&head);
        let start = end + 4;
        if let Some(length) = answer.header("content-length") {
            let whole = start + length.parse::<usize>().unwrap();
            while self.read.len() < whole {
                assert!(self.more().await, "closed within an answer");
            }
            answer.body = self.read[start..whole].to_vec();
            self.read.drain(..whole);
        } else {
            self.read.drain(..start);
        }
        answer
    }
}

/// An answer, taken apart.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    fn of(head: &str) -> Self {
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status, headers, body: Vec::new() }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}
