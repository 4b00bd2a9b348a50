//! What the platform benchmark measures: our queue behind its routes, and peers behind an axum front that does the same four
//! things (run, job-take, job-done, status) and nothing else.
//!
//! `--store` is one of `memory`, `sqlite`, `sqlite-process` (ours), `plain` (a queue in this process), `redis`, `postgres`.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use flash_benches::args::Args;
use flash_core::clock::Clock;
use flash_core::ids::{JobId, WorkerId};
use flash_core::wire::DoneBody;
use flash_local::{Durability, SqliteOptions, SqliteStore};
use flash_queue::{
    Limits, MemoryStore, Payload, Queue, QueueOptions, Queues, Store, Submission, routes, routes::Auth,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify, oneshot};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Slots of the worker inside this process, for `/runsync`.
const SLOTS: usize = 4;
const HOLD: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let args = Args::of_process();
    let port: u16 = args.required("port")?;
    let store: String = args.required("store")?;
    let app = match store.as_str() {
        "plain" => plain(),
        "memory" | "sqlite" | "sqlite-process" => ours(&args, &store).await?,
        _ => front(peer(&args, &store).await?),
    };
    let app = app.route("/ready", get(|| async { "ready" }));
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(Nodelay(listener), app).await?;
    Ok(())
}

/// Answers of a few bytes must not wait for more of them.
struct Nodelay(TcpListener);

impl axum::serve::Listener for Nodelay {
    type Io = tokio::net::TcpStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if let Ok((stream, address)) = self.0.accept().await {
                let _ = stream.set_nodelay(true);
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

async fn ours(args: &Args, store: &str) -> Result<Router, Error> {
    let limits = Limits { rate_limits: false, memory_ended: 1 << 30, ..Limits::default() };
    let store: Arc<dyn Store> = match store {
        "memory" => Arc::new(MemoryStore::new(&limits)),
        store => {
            let durability = if store == "sqlite" { Durability::Full } else { Durability::Process };
            let dir: String = args.required("dir")?;
            Arc::new(SqliteStore::open(dir, SqliteOptions::new().durability(durability))?)
        }
    };
    let queues = Queues::new(store, Clock::real(), limits);
    let queue = queues.open("bench".into(), QueueOptions::new()).await?;
    if let Some(jobs) = args.optional::<usize>("preload")? {
        preload(&queue, jobs).await?;
    }
    if args.optional::<bool>("work")?.unwrap_or(false) {
        for slot in 0..SLOTS {
            tokio::spawn(work(queue.clone(), WorkerId::from(format!("slot-{slot}"))));
        }
    }
    Ok(routes::platform(queues, Auth::open()))
}

/// Queues jobs of a KiB, many at a time.
async fn preload(queue: &Queue, jobs: usize) -> Result<(), Error> {
    let input = Payload::from_json(format!("\"{}\"", "x".repeat(1_022)))?;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..jobs {
        let (queue, input) = (queue.clone(), input.clone());
        running.spawn(async move { queue.submit(Submission::new(input)).await });
        if running.len() >= 512
            && let Some(submitted) = running.join_next().await
        {
            submitted??;
        }
    }
    while let Some(submitted) = running.join_next().await {
        submitted??;
    }
    Ok(())
}

async fn work(queue: Queue, worker: WorkerId) -> Result<(), flash_queue::QueueError> {
    loop {
        for job in queue.take(&worker, 1, HOLD).await? {
            if let Some(input) = job.input {
                queue.done(&worker, &job.id, DoneBody::output(input)).await?;
            }
        }
    }
}

#[derive(Deserialize)]
struct Run<'a> {
    #[serde(borrow)]
    input: &'a RawValue,
}

#[derive(Deserialize)]
struct Done<'a> {
    #[serde(borrow)]
    output: &'a RawValue,
}

/// A job that waits, with the way back to the one who asked.
type Waiting = (Box<RawValue>, oneshot::Sender<Box<RawValue>>);

/// `/runsync` over a queue in this process, and a worker in this process.
fn plain() -> Router {
    let queue = Arc::new((std::sync::Mutex::new(VecDeque::<Waiting>::new()), Notify::new()));
    for _ in 0..SLOTS {
        let queue = queue.clone();
        tokio::spawn(async move {
            loop {
                let next = queue.0.lock().ok().and_then(|mut jobs| jobs.pop_front());
                match next {
                    Some((input, reply)) => drop(reply.send(input)),
                    None => queue.1.notified().await,
                }
            }
        });
    }
    let run = move |body: Bytes| async move {
        let Ok(run) = serde_json::from_slice::<Run<'_>>(&body) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let (reply, answer) = oneshot::channel();
        if let Ok(mut jobs) = queue.0.lock() {
            jobs.push_back((run.input.to_owned(), reply));
        }
        queue.1.notify_one();
        match answer.await {
            Ok(output) => {
                json(format!(r#"{{"id":"{}","status":"COMPLETED","output":{output}}}"#, JobId::random_sync()))
            }
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    };
    Router::new().route("/v2/bench/runsync", post(run))
}

/// Where a peer keeps its jobs.
trait Peer: Send + Sync {
    fn submit(&self, id: String, input: String) -> Later<'_, ()>;
    fn take(&self, worker: String) -> Later<'_, Option<(String, String)>>;
    fn done(&self, id: String, output: String) -> Later<'_, ()>;
    fn status(&self, id: String) -> Later<'_, Option<String>>;
}

struct Front {
    peer: Box<dyn Peer>,
    queued: Notify,
}

fn front(peer: Box<dyn Peer>) -> Router {
    let front = Arc::new(Front { peer, queued: Notify::new() });
    Router::new()
        .route("/v2/bench/run", post(run))
        .route("/v2/bench/job-take/{worker}", get(take))
        .route("/v2/bench/job-done/{worker}/{job}", post(done))
        .route("/v2/bench/status/{job}", get(status))
        .with_state(front)
}

async fn run(State(front): State<Arc<Front>>, body: Bytes) -> Response {
    let Ok(run) = serde_json::from_slice::<Run<'_>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let id = JobId::random().to_string();
    if let Err(error) = front.peer.submit(id.clone(), run.input.get().to_owned()).await {
        return failed(&error);
    }
    front.queued.notify_one();
    json(format!(r#"{{"id":"{id}","status":"IN_QUEUE"}}"#))
}

async fn take(State(front): State<Arc<Front>>, Path(worker): Path<String>) -> Response {
    let waiting = async {
        loop {
            let queued = front.queued.notified();
            match front.peer.take(worker.clone()).await {
                Ok(None) => queued.await,
                other => return other,
            }
        }
    };
    match tokio::time::timeout(HOLD, waiting).await {
        Ok(Ok(Some((id, input)))) => json(format!(r#"{{"id":"{id}","input":{input},"delayTime":0}}"#)),
        Ok(Err(error)) => failed(&error),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn done(
    State(front): State<Arc<Front>>,
    Path((_, id)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let Ok(done) = serde_json::from_slice::<Done<'_>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match front.peer.done(id, done.output.get().to_owned()).await {
        Ok(()) => json("{}".to_owned()),
        Err(error) => failed(&error),
    }
}

async fn status(State(front): State<Arc<Front>>, Path(id): Path<String>) -> Response {
    match front.peer.status(id.clone()).await {
        Ok(Some(output)) => json(format!(r#"{{"id":"{id}","status":"COMPLETED","output":{output}}}"#)),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => failed(&error),
    }
}

fn json(text: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

#[expect(clippy::print_stderr, reason = "the log of this program")]
fn failed(error: &Error) -> Response {
    eprintln!("{error}");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

#[cfg(not(feature = "peers"))]
#[expect(clippy::unused_async, reason = "with the peers it waits")]
async fn peer(_: &Args, store: &str) -> Result<Box<dyn Peer>, Error> {
    let _: HashMap<(), Mutex<()>> = HashMap::new();
    Err(format!("`{store}` needs the feature `peers`").into())
}

#[cfg(feature = "peers")]
async fn peer(args: &Args, store: &str) -> Result<Box<dyn Peer>, Error> {
    let url: String = args.required("url")?;
    Ok(match store {
        "redis" => Box::new(peers::Redis::open(&url).await?),
        "postgres" => Box::new(peers::Postgres::open(&url).await?),
        other => return Err(format!("no store `{other}`").into()),
    })
}

#[cfg(feature = "peers")]
mod peers {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use redis::aio::MultiplexedConnection;
    use tokio_postgres::{Client, NoTls, Statement};

    use super::{Error, HashMap, Later, Mutex, Peer};

    /// A stream with one group; results are keys that expire. One connection, on which requests follow each other closely.
    pub(super) struct Redis {
        connection: MultiplexedConnection,
        /// The entries of the stream that are taken, by job.
        entries: Mutex<HashMap<String, String>>,
    }

    impl Redis {
        pub(super) async fn open(url: &str) -> Result<Self, Error> {
            let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
            redis::cmd("XGROUP")
                .arg("CREATE")
                .arg("q")
                .arg("g")
                .arg("0")
                .arg("MKSTREAM")
                .exec_async(&mut connection)
                .await?;
            Ok(Self { connection, entries: Mutex::default() })
        }
    }

    type Entries = Vec<(String, Vec<(String, Vec<(String, String)>)>)>;

    impl Peer for Redis {
        fn submit(&self, id: String, input: String) -> Later<'_, ()> {
            let mut connection = self.connection.clone();
            Box::pin(async move {
                redis::cmd("XADD")
                    .arg("q")
                    .arg("*")
                    .arg("id")
                    .arg(id)
                    .arg("input")
                    .arg(input)
                    .exec_async(&mut connection)
                    .await?;
                Ok(())
            })
        }

        fn take(&self, worker: String) -> Later<'_, Option<(String, String)>> {
            let mut connection = self.connection.clone();
            Box::pin(async move {
                let found: Option<Entries> = redis::cmd("XREADGROUP")
                    .arg("GROUP")
                    .arg("g")
                    .arg(worker)
                    .arg("COUNT")
                    .arg(1)
                    .arg("STREAMS")
                    .arg("q")
                    .arg(">")
                    .query_async(&mut connection)
                    .await?;
                let entry =
                    found.and_then(|mut streams| streams.pop()).and_then(|(_, mut entries)| entries.pop());
                let Some((entry, mut fields)) = entry else { return Ok(None) };
                let (Some((_, input)), Some((_, id))) = (fields.pop(), fields.pop()) else {
                    return Err("an entry without its fields".into());
                };
                self.entries.lock().await.insert(id.clone(), entry);
                Ok(Some((id, input)))
            })
        }

        fn done(&self, id: String, output: String) -> Later<'_, ()> {
            let mut connection = self.connection.clone();
            Box::pin(async move {
                let entry = self.entries.lock().await.remove(&id).ok_or("a job that was not taken")?;
                redis::pipe()
                    .atomic()
                    .cmd("SET")
                    .arg(id)
                    .arg(output)
                    .arg("EX")
                    .arg(1_800)
                    .cmd("XACK")
                    .arg("q")
                    .arg("g")
                    .arg(&entry)
                    .cmd("XDEL")
                    .arg("q")
                    .arg(&entry)
                    .exec_async(&mut connection)
                    .await?;
                Ok(())
            })
        }

        fn status(&self, id: String) -> Later<'_, Option<String>> {
            let mut connection = self.connection.clone();
            Box::pin(async move { Ok(redis::cmd("GET").arg(id).query_async(&mut connection).await?) })
        }
    }

    /// A table, and 16 connections that take turns.
    pub(super) struct Postgres {
        clients: Vec<(Client, [Statement; 4])>,
        next: AtomicUsize,
    }

    const TABLE: &str = "CREATE TABLE job (id text PRIMARY KEY, seq bigserial, status smallint NOT NULL DEFAULT 0, \
         input text NOT NULL, output text, worker text); CREATE INDEX queued ON job (seq) WHERE status = 0;";

    impl Postgres {
        pub(super) async fn open(url: &str) -> Result<Self, Error> {
            let mut clients = Vec::new();
            for n in 0..16 {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
                tokio::spawn(connection);
                if n == 0 {
                    client.batch_execute(TABLE).await?;
                }
                let statements = [
                    client.prepare("INSERT INTO job (id, input) VALUES ($1, $2)").await?,
                    client
                        .prepare(
                            "UPDATE job SET status = 1, worker = $1 WHERE id = (SELECT id FROM job WHERE status = 0 ORDER BY seq \
                             FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING id, input",
                        )
                        .await?,
                    client.prepare("UPDATE job SET status = 2, output = $2 WHERE id = $1").await?,
                    client.prepare("SELECT output FROM job WHERE id = $1").await?,
                ];
                clients.push((client, statements));
            }
            Ok(Self { clients, next: AtomicUsize::new(0) })
        }

        fn client(&self) -> &(Client, [Statement; 4]) {
            &self.clients[self.next.fetch_add(1, Ordering::Relaxed) % self.clients.len()]
        }
    }

    impl Peer for Postgres {
        fn submit(&self, id: String, input: String) -> Later<'_, ()> {
            Box::pin(async move {
                let (client, [insert, ..]) = self.client();
                client.execute(insert, &[&id, &input]).await?;
                Ok(())
            })
        }

        fn take(&self, worker: String) -> Later<'_, Option<(String, String)>> {
            Box::pin(async move {
                let (client, [_, take, ..]) = self.client();
                let row = client.query_opt(take, &[&worker]).await?;
                Ok(row.map(|row| (row.get(0), row.get(1))))
            })
        }

        fn done(&self, id: String, output: String) -> Later<'_, ()> {
            Box::pin(async move {
                let (client, [_, _, done, _]) = self.client();
                client.execute(done, &[&id, &output]).await?;
                Ok(())
            })
        }

        fn status(&self, id: String) -> Later<'_, Option<String>> {
            Box::pin(async move {
                let (client, [.., status]) = self.client();
                let row = client.query_opt(status, &[&id]).await?;
                Ok(row.and_then(|row| row.get(0)))
            })
        }
    }
}
