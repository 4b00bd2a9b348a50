//! Functions that stream, as a door and as a caller see them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use flash::testing::Mock;
use flash::{CallError, Context, Endpoint, Error, RemoteError, Stream, remote};
use flash_core::clock::TestClock;
use flash_core::{App, Fields, Origin, Produced, Registration, Registry, Remote, Running, Scope};

use crate::support::run;

static CPU: Endpoint = Endpoint::queue("streams-cpu");

#[derive(Debug, PartialEq, thiserror::Error, RemoteError)]
pub(crate) enum CountError {
    #[error("{0} is unlucky")]
    Unlucky(u32),
}

type Counted = Result<Stream<u32, CountError>, CountError>;

/// Fails at once for 0, and on its way at 13.
#[remote(resource = CPU)]
async fn count(to: u32) -> Counted {
    if to == 0 {
        return Err(CountError::Unlucky(0));
    }
    Ok(Stream::iter((1..=to).map(|n| if n == 13 { Err(CountError::Unlucky(13)) } else { Ok(n) })))
}

#[remote(resource = CPU)]
fn count_on_a_thread(to: u32) -> Result<Stream<u32, Error>, Error> {
    let (sender, stream) = Stream::channel(2);
    flash::spawn_blocking(move || {
        for n in 1..=to {
            if sender.blocking_send(n).is_err() {
                return;
            }
        }
    });
    Ok(stream)
}

#[remote(resource = CPU)]
async fn count_and_panic(in_thread: bool) -> Result<Stream<u32, Error>, Error> {
    if !in_thread {
        return Ok(Stream::iter((1..).map(|n| if n == 3 { panic!("secret") } else { Ok(n) })));
    }
    let (sender, stream) = Stream::channel(2);
    flash::spawn_blocking(move || {
        let _ = sender.blocking_send(1);
        panic!("secret");
    });
    Ok(stream)
}

#[remote(resource = CPU)]
async fn large_item() -> Result<Stream<String, Error>, Error> {
    Ok(Stream::iter([Ok("x".repeat(999_998)), Ok("x".repeat(999_999))]))
}

#[remote(resource = CPU)]
async fn who_asks(context: Context) -> Result<Stream<String, Error>, Error> {
    drop(context);
    Ok(Stream::iter(
        (0..1).map(|_| Ok(Scope::current().map_or_else(String::new, |s| s.request_id().to_owned()))),
    ))
}

#[remote(resource = CPU)]
async fn plain() -> Result<u32, Error> {
    Ok(1)
}

fn start<R: Remote>(input: &str, scope: impl FnOnce(App) -> Scope) -> Running {
    let registration: &'static Registration = Box::leak(Box::new(Registration::of::<R>()));
    let app = App::new(Registry::of([registration]).expect("it starts"));
    let fields = Fields::from_json(Origin::Input, input.as_bytes()).expect("it starts");
    registration.start(fields, scope(app), 1_000).expect("it starts")
}

async fn chunks<R: Remote>(input: &str) -> flash_core::Chunks {
    let running = start::<R>(input, |app| Scope::builder(app).request_id("r1").function(R::META).build());
    match running.run().await.expect("it starts") {
        Produced::Stream(chunks) => chunks,
        Produced::Value(value) => panic!("{value:?}"),
    }
}

async fn rest(mut chunks: flash_core::Chunks) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(item) = chunks.next().await {
        all.push(match item {
            Ok(encoded) => String::from_utf8(encoded.json).expect("it starts"),
            Err(error) => format!("{}: {}", error.code, error.message),
        });
    }
    all
}

#[test]
fn the_metadata_says_which_functions_stream() {
    assert!(count::META.is_stream() && count_on_a_thread::META.is_stream());
    assert!(!plain::META.is_stream());
}

#[tokio::test]
async fn a_door_gets_one_item_after_the_other() {
    assert_eq!(rest(chunks::<count>(r#"{"to":3}"#).await).await, ["1", "2", "3"]);
    assert_eq!(rest(chunks::<count_on_a_thread>(r#"{"to":5}"#).await).await, ["1", "2", "3", "4", "5"]);
}

#[tokio::test]
async fn a_door_that_cannot_stream_gets_an_array() {
    assert_eq!(run::<count>(r#"{"to":3}"#).await.unwrap(), "[1,2,3]");
    assert_eq!(run::<count_on_a_thread>(r#"{"to":0}"#).await.unwrap(), "[]");
    let error = run::<count>(r#"{"to":20}"#).await.unwrap_err();
    assert_eq!((&*error.code, &*error.message), ("unlucky", "13 is unlucky"));
    let large = start::<count>(r#"{"to":12}"#, |app| Scope::builder(app).build());
    assert!(large.run_whole().await.is_ok());
    let large = start::<count_on_a_thread>(r#"{"to":1000}"#, |app| Scope::builder(app).build());
    let error = large.run_whole().await.unwrap_err();
    assert_eq!(error.code, "result_too_large");
    assert!(error.message.contains("over the limit of 1000 bytes"), "{}", error.message);
}

#[tokio::test]
async fn an_error_is_the_last_item() {
    let items = rest(chunks::<count>(r#"{"to":20}"#).await).await;
    assert_eq!(items.len(), 13);
    assert_eq!(items[12], "unlucky: 13 is unlucky");
}

#[tokio::test]
async fn a_panic_is_an_error_that_says_nothing_of_the_inside() {
    let items = rest(chunks::<count_and_panic>(r#"{"in_thread":false}"#).await).await;
    assert_eq!(items, ["1", "2", "panic: the function panicked"]);
    let items = rest(chunks::<count_and_panic>(r#"{"in_thread":true}"#).await).await;
    assert_eq!(items, ["1", "panic: the function panicked"]);
}

#[tokio::test]
async fn an_item_has_the_platforms_limit() {
    let items = rest(chunks::<large_item>("{}").await).await;
    assert_eq!(items.len(), 2);
    assert_eq!(
        items[1],
        "result_too_large: an item of the stream is too large: payload of 1000001 bytes is over the limit of \
         1000000 bytes"
    );
}

#[tokio::test]
async fn items_are_made_inside_of_the_scope() {
    assert_eq!(rest(chunks::<who_asks>("{}").await).await, ["\"r1\""]);
}

/// Counts how often it was asked, never ends, and tells when it is dropped.
#[derive(Clone, Default)]
struct Endless {
    asked: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

struct Counting(Endless);

impl Iterator for Counting {
    type Item = Result<usize, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(Ok(self.0.asked.fetch_add(1, Ordering::SeqCst)))
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

static ENDLESS: Mutex<Vec<Endless>> = Mutex::new(Vec::new());

impl Endless {
    /// The index is the argument of `endless`.
    fn register(&self) -> usize {
        let mut all = ENDLESS.lock().expect("no test panics with the lock");
        all.push(self.clone());
        all.len() - 1
    }
}

#[remote(resource = CPU)]
async fn endless(index: usize) -> Result<Stream<usize, Error>, Error> {
    let endless = ENDLESS.lock().expect("no test panics with the lock")[index].clone();
    Ok(Stream::iter(Counting(endless)))
}

#[tokio::test]
async fn a_call_pulls_only_what_is_read_and_drops_the_producer_with_the_stream() {
    let endless_one = Endless::default();
    let Endless { asked, dropped } = &endless_one;
    let mut items = endless::remote(endless_one.register()).stream();
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing happens before the first item is asked for");
    for n in 0..3 {
        assert_eq!(items.next().await.unwrap().unwrap(), n);
        assert_eq!(asked.load(Ordering::SeqCst), n + 1);
    }
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    drop(items);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_producer_that_never_waits_is_out_of_time_at_its_deadline() {
    let input = format!(r#"{{"index":{}}}"#, Endless::default().register());
    let test = TestClock::new();
    let deadline = test.now() + Duration::from_secs(5);
    let running = start::<endless>(&input, |app| {
        Scope::builder(app.with_clock(test.clock())).deadline(Some(deadline)).build()
    });
    let Produced::Stream(mut chunks) = running.run().await.unwrap() else { panic!("no stream") };
    assert!(chunks.next().await.unwrap().is_ok());
    test.advance(Duration::from_secs(5)).await;
    assert_eq!(chunks.next().await.unwrap().unwrap_err().code, "timeout");
    assert!(chunks.next().await.is_none());
}

#[remote(resource = CPU)]
async fn silent() -> Result<Stream<u32, Error>, Error> {
    Ok(Stream::new(Silent))
}

struct Silent;

impl futures_core::Stream for Silent {
    type Item = Result<u32, Error>;

    fn poll_next(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn a_producer_that_is_silent_is_out_of_time_at_its_deadline() {
    let test = TestClock::new();
    let deadline = test.now() + Duration::from_secs(5);
    let running = start::<silent>("{}", |app| {
        Scope::builder(app.with_clock(test.clock())).deadline(Some(deadline)).build()
    });
    let Produced::Stream(mut chunks) = running.run().await.unwrap() else { panic!("no stream") };
    let (item, ()) = tokio::join!(chunks.next(), async {
        test.sleeping_until(deadline).await;
        test.advance(Duration::from_secs(5)).await;
    });
    assert_eq!(item.unwrap().unwrap_err().code, "timeout");
}

#[tokio::test]
async fn a_blocking_producer_learns_that_nobody_reads_any_more() {
    let (sender, mut stream) = Stream::<u32, Error>::channel(1);
    let filler = tokio::task::spawn_blocking(move || {
        let mut sent = 0;
        while sender.blocking_send(sent).is_ok() {
            sent += 1;
        }
        (sent, sender.is_closed())
    });
    assert_eq!(stream.next().await.unwrap().unwrap(), 0);
    drop(stream);
    let (sent, is_closed) = filler.await.unwrap();
    assert!(is_closed && sent <= 3, "{sent} were sent to a stream of capacity 1 that was read once");
}

#[tokio::test]
async fn a_caller_gets_typed_items_and_the_functions_own_errors() {
    let mut items = count::remote(20).stream();
    for n in 1..=12 {
        assert_eq!(items.next().await.unwrap().unwrap(), n);
    }
    match items.next().await {
        Some(Err(CallError::Remote(CountError::Unlucky(13)))) => {}
        other => panic!("{other:?}"),
    }
    assert!(items.next().await.is_none());
    match count::remote(0).stream().next().await {
        Some(Err(CallError::Remote(CountError::Unlucky(0)))) => {}
        other => panic!("{other:?}"),
    }
    let error = count_and_panic::remote(false).stream().collect().await.unwrap_err();
    assert_eq!(error.code(), "panic");
}

#[tokio::test]
async fn an_awaited_call_gives_the_whole_stream_or_its_error() {
    let items = count::remote(3).await.unwrap().collect().await.unwrap();
    assert_eq!(items, [1, 2, 3]);
    match count::remote(20).await {
        Err(CallError::Remote(CountError::Unlucky(13))) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_direct_call_gives_the_stream_itself() {
    assert_eq!(count(3).await.unwrap().collect().await, Ok(vec![1, 2, 3]));
    assert_eq!(count(20).await.unwrap().collect().await, Err(CountError::Unlucky(13)));
}

#[tokio::test]
async fn a_mock_answers_with_a_stream() {
    let mock = Mock::new().on::<count>(|(to,)| match to {
        0 => Err(CountError::Unlucky(7)),
        _ => Ok(Stream::iter([Ok(to * 2), Err(CountError::Unlucky(to))])),
    });
    mock.run(async {
        let mut items = count::remote(4).stream();
        assert_eq!(items.next().await.unwrap().unwrap(), 8);
        assert_eq!(items.next().await.unwrap().unwrap_err().remote(), Some(&CountError::Unlucky(4)));
        assert!(items.next().await.is_none());
        assert_eq!(
            count::remote(0).stream().next().await.unwrap().unwrap_err().remote(),
            Some(&CountError::Unlucky(7))
        );
        assert_eq!(count::remote(4).await.unwrap_err().remote(), Some(&CountError::Unlucky(4)));
    })
    .await;
}

#[tokio::test]
async fn a_stream_is_passed_on_with_other_items_and_errors() {
    let items = count::remote(20).stream().map_ok(|n| n * 10).map_err(|error| error.code());
    let mut items = items;
    let mut all = Vec::new();
    while let Some(item) = items.next().await {
        all.push(item);
    }
    assert_eq!((all.len(), &all[0], &all[12]), (13, &Ok(10), &Err("unlucky".to_owned())));
}
