use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A stream from a state: `next` gives an item and the state that comes after it, or `None` at the end. Nothing happens
/// before it is polled.
pub fn unfold<S, T, F, Fut>(state: S, next: F) -> impl futures_core::Stream<Item = T> + Send
where
    S: Send,
    F: FnMut(S) -> Fut + Send,
    Fut: Future<Output = Option<(T, S)>> + Send,
{
    Unfold { state: Some(state), next, running: None }
}

struct Unfold<S, F, Fut> {
    state: Option<S>,
    next: F,
    running: Option<Pin<Box<Fut>>>,
}

// Only the boxed future is ever pinned.
impl<S, F, Fut> Unpin for Unfold<S, F, Fut> {}

impl<S, T, F, Fut> futures_core::Stream for Unfold<S, F, Fut>
where
    F: FnMut(S) -> Fut,
    Fut: Future<Output = Option<(T, S)>>,
{
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        if let Some(state) = this.state.take() {
            this.running = Some(Box::pin((this.next)(state)));
        }
        let Some(running) = &mut this.running else { return Poll::Ready(None) };
        let item = ready!(running.as_mut().poll(cx));
        this.running = None;
        Poll::Ready(item.map(|(item, state)| {
            this.state = Some(state);
            item
        }))
    }
}
