use std::future::Future;
use std::time::Duration;

use crate::meta::Method;
use crate::transport::{CallFailure, CallRequest};

/// Pauses between the tries of a call, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Carries out a call, and again while its failure and its options allow it.
pub(super) async fn repeated<T, F>(
    request: CallRequest,
    once: impl Fn(CallRequest) -> F,
) -> Result<T, CallFailure>
where
    F: Future<Output = Result<T, CallFailure>>,
{
    let mut left = request.options.retries;
    let mut pause = FIRST_PAUSE;
    let clock = request.app.clock().clone();
    while left > 0 {
        match once(request.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(failure) if !may_repeat(&failure, &request) => return Err(failure),
            Err(failure) => {
                tracing::debug!(callee = request.callee.name, left, ?failure, "calling again");
                // Another try that begins after the deadline would only hide why this one failed.
                if request.deadline.is_some_and(|deadline| clock.now() + pause >= deadline) {
                    return Err(failure);
                }
            }
        }
        clock.sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        left -= 1;
    }
    once(request).await
}

/// A request that may have arrived is only sent again where twice is as good as once: RunPod's queue knows no idempotency
/// key, so a second submission can be a second job.
fn may_repeat(failure: &CallFailure, request: &CallRequest) -> bool {
    match failure {
        CallFailure::Remote(error) => error.retryable,
        CallFailure::Transport(error) => {
            let route = request.callee.http;
            error.is_retryable()
                && (!error.is_in_doubt()
                    || request.options.allow_duplicates
                    || route.is_some_and(|route| {
                        matches!(route.method, Method::GET | Method::PUT | Method::DELETE)
                            || request.options.idempotency_key.is_some()
                    }))
        }
    }
}
