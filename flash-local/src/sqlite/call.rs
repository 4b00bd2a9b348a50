//! Something that a thread of the store is asked to do.

use flash_queue::StoreError;
use flash_queue::store::Answer;
use tokio::sync::oneshot;

use super::fault::Fault;

/// An operation on `C`: it is run, and answered when the group that it is part of has become durable or has failed.
pub(super) trait Call<C>: Send {
    /// Runs it. An error undoes the whole group.
    fn run(&mut self, context: &mut C) -> Result<(), Fault>;

    /// Answers the one who asked. `fault`: the group failed.
    fn answer(self: Box<Self>, fault: Option<&Fault>);
}

struct Operation<F, T> {
    run: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<C, F, T> Call<C> for Operation<F, T>
where
    F: FnOnce(&mut C) -> Result<T, Fault> + Send,
    T: Send,
{
    fn run(&mut self, context: &mut C) -> Result<(), Fault> {
        let Some(run) = self.run.take() else { return Ok(()) };
        match run(context) {
            Err(fault) if fault.is_of_the_group() => return Err(fault),
            Err(fault) => self.result = Some(Err(fault.for_caller())),
            Ok(value) => self.result = Some(Ok(value)),
        }
        Ok(())
    }

    fn answer(self: Box<Self>, fault: Option<&Fault>) {
        let result = match (fault, self.result) {
            (Some(fault), _) => Err(fault.for_caller()),
            (None, Some(result)) => result,
            // Its group ended before its turn came, without a fault: that does not happen.
            (None, None) => Err(closed()),
        };
        // Who does not wait any more does not need it.
        let _ = self.reply.send(result);
    }
}

/// Makes a call, and the answer that it will give.
pub(super) fn call<C, T, F>(run: F) -> (Box<dyn Call<C>>, Answer<T>)
where
    F: FnOnce(&mut C) -> Result<T, Fault> + Send + 'static,
    T: Send + 'static,
    C: 'static,
{
    let (reply, answer) = oneshot::channel();
    let operation = Operation { run: Some(run), result: None, reply };
    let answer = async move { answer.await.unwrap_or_else(|_| Err(closed())) };
    (Box::new(operation), Answer::Later(Box::pin(answer)))
}

/// The error of a store whose threads are gone.
pub(super) fn closed() -> StoreError {
    StoreError::Other("the store is closed".into())
}
