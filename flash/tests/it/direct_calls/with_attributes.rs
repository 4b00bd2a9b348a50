use flash::{Bytes, Context, Endpoint, Error, FromWorker, Response, State, Stream, Worker, remote};
use serde::{Deserialize, Serialize};

static CPU: Endpoint = Endpoint::queue("direct-cpu");
static API: Endpoint = Endpoint::http("direct-api");

#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    item: String,
}

pub(crate) struct Prefix(String);

impl FromWorker for Prefix {
    type Error = String;

    async fn from_worker(_: &Worker) -> Result<Self, String> {
        Ok(Self("hello ".to_owned()))
    }
}

#[remote(resource = CPU)]
async fn direct_greet(
    prefix: State<Prefix>,
    #[remote(rename = "who")] name: String,
    #[remote(default = [1, 2][0])] times: usize,
    context: Context,
) -> Result<String, Error> {
    Ok(format!("{}{} {}", prefix.0, name.repeat(times), context.id()))
}

#[remote(resource = CPU)]
fn direct_blocking(text: Option<String>) -> Result<usize, Error> {
    Ok(text.map_or(0, |text| text.len()))
}

#[remote(resource = CPU)]
async fn direct_count(to: u32) -> Result<Stream<u32, Error>, Error> {
    Ok(Stream::iter((0..to).map(Ok)))
}

#[remote(resource = API, method = "PUT", path = "/orders/{id}", status = 201)]
async fn direct_order(id: u32, #[remote(body)] order: Order) -> Result<Response<Bytes>, Error> {
    Ok(Response::new(Bytes::new(format!("{id} {}", order.item))))
}

pub(crate) struct DirectCounter(u32);

#[remote(resource = CPU)]
impl DirectCounter {
    #[remote(init)]
    pub(crate) async fn start(#[remote(default)] from: u32) -> Result<Self, Error> {
        Ok(Self(from))
    }

    #[remote]
    pub(crate) async fn add(&self, by: u32) -> Result<u32, Error> {
        Ok(self.0 + by)
    }

    #[remote(exit)]
    pub(crate) async fn close(&self) {}
}

#[test]
fn direct_calls_need_nothing_else() {
    // Without a runtime: nothing here waits.
    fn now<T>(future: impl Future<Output = T>) -> T {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(future).poll(&mut context) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => panic!("it waits"),
        }
    }
    let greeting =
        now(direct_greet(State::new(Prefix("hi ".to_owned())), "a".to_owned(), 2, Context::test()));
    assert_eq!(greeting.unwrap(), "hi aa test");
    assert_eq!(direct_blocking(Some("abc".to_owned())).unwrap(), 3);
    assert_eq!(now(now(direct_count(3)).unwrap().collect()).unwrap(), [0, 1, 2]);
    assert_eq!(now(direct_order(1, Order { item: "tea".to_owned() })).unwrap()[..], *b"1 tea");
    let counter = now(DirectCounter::start(3)).unwrap();
    assert_eq!(now(counter.add(4)).unwrap(), 7);
    now(counter.close());
}
