//! Jobs, options and many calls at once, inside of one process.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flash::testing::Mock;
use flash::{CallError, WaitReason};
use flash_core::wire::JobStatus;
use flash_tests::calling::{Number, count_up, count_up_route, flaky, hold_through, surroundings, two_hops};
use flash_tests::interop::{advance, hold};
use flash_tests::{CheckError, check, report, slow};

#[tokio::test]
async fn a_job_runs_by_itself_and_its_result_is_fetched_later() {
    let job = check::remote("abc".into()).spawn().await.unwrap();
    assert!(!job.id().as_str().is_empty());
    assert_eq!(job.wait().await.unwrap(), 3);
    assert_eq!(job.status().await.unwrap(), JobStatus::Completed);
    // As often as is wanted.
    assert_eq!(job.output().await.unwrap(), Some(3));

    let job = check::remote(String::new()).spawn().await.unwrap();
    let error = job.wait().await.unwrap_err();
    assert!(matches!(error, CallError::Remote(CheckError::Empty)), "{error:?}");
    assert_eq!(job.status().await.unwrap(), JobStatus::Failed);
}

#[tokio::test]
async fn a_job_outlives_its_handle_and_is_cancelled_only_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go");
    let job = hold::remote(file.display().to_string()).spawn().await.unwrap();
    // The waiting is dropped, and then a handle.
    let waiting = tokio::time::timeout(Duration::from_millis(1), job.wait()).await;
    assert!(waiting.is_err());
    let other = job.clone();
    drop(job);
    assert_eq!(other.output().await.unwrap(), None);
    std::fs::write(&file, "").unwrap();
    assert_eq!(other.wait().await.unwrap(), "held");

    let job = hold::remote("/nonexistent/file".into()).spawn().await.unwrap();
    assert_eq!(job.cancel().await.unwrap(), JobStatus::Cancelled);
    assert_eq!(job.wait().await.unwrap_err().code(), "cancelled");
    // What has ended stays as it is.
    assert_eq!(other.cancel().await.unwrap(), JobStatus::Completed);
}

#[tokio::test]
async fn a_job_tells_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go");
    let job = advance::remote("half".into(), file.display().to_string()).spawn().await.unwrap();
    let progress = loop {
        if let Some(progress) = job.progress::<String>().await.unwrap() {
            break progress;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(progress, "half");
    assert_eq!(job.status().await.unwrap(), JobStatus::InProgress);
    std::fs::write(&file, "").unwrap();
    assert_eq!(job.wait().await.unwrap(), "done");
    assert_eq!(job.progress::<String>().await.unwrap(), None);
    let job = report::remote(3).spawn().await.unwrap();
    assert_eq!(job.wait().await.unwrap(), "done");
}

#[tokio::test]
async fn a_failed_job_runs_again_with_the_same_id() {
    let job = flaky::remote("retry".into(), 1).spawn().await.unwrap();
    assert!(job.wait().await.is_err());
    job.retry().await.unwrap();
    assert_eq!(job.wait().await.unwrap(), 2);
    let error = job.retry().await.unwrap_err();
    assert!(error.message().contains("only a job that is FAILED or TIMED_OUT"), "{error}");
}

#[tokio::test]
async fn a_job_streams_its_items_once_and_gives_all_as_its_result() {
    let numbers = |to| (0..to).map(|n| Number { n }).collect::<Vec<_>>();
    let job = count_up::remote(3, false).spawn().await.unwrap();
    assert_eq!(job.stream().collect().await.unwrap(), numbers(3));
    assert_eq!(job.wait().await.unwrap().collect().await.unwrap(), numbers(3));
    assert!(job.stream().next().await.is_none());

    let job = count_up::remote(2, true).spawn().await.unwrap();
    let mut stream = job.stream();
    assert_eq!(stream.next().await.unwrap().unwrap(), Number { n: 0 });
    assert_eq!(stream.next().await.unwrap().unwrap(), Number { n: 1 });
    assert_eq!(stream.next().await.unwrap().unwrap_err().code(), "no_further");
    assert!(stream.next().await.is_none());

    // A call that is not a job streams as well, on either door.
    assert_eq!(count_up::remote(3, false).stream().collect().await.unwrap(), numbers(3));
    assert_eq!(count_up_route::remote(3, false).stream().collect().await.unwrap(), numbers(3));
}

#[tokio::test]
async fn a_job_has_its_own_time_and_not_its_callers() {
    let job = slow::remote(60_000).timeout(Duration::from_millis(1)).spawn().await.unwrap();
    assert_eq!(job.wait().await.unwrap_err().code(), "timeout");

    let job = surroundings::remote().execution_timeout(Duration::from_secs(5)).spawn().await.unwrap();
    assert!(job.wait().await.unwrap().deadline.is_some());
    let job = surroundings::remote().spawn().await.unwrap();
    assert_eq!(job.wait().await.unwrap().deadline, None);
}

#[tokio::test]
async fn a_call_is_repeated_as_often_as_it_may() {
    let error = flaky::remote("twice".into(), 2).retries(1).await.unwrap_err();
    assert_eq!(error.code(), "busy");
    assert_eq!(flaky::remote("once".into(), 1).retries(1).await.unwrap(), 2);
    // An error that is not marked as retryable is final.
    assert!(check::remote(String::new()).retries(5).await.is_err());
    // The call's time holds for all tries together.
    let error =
        flaky::remote("many".into(), 100).retries(100).timeout(Duration::from_millis(250)).await.unwrap_err();
    assert!(matches!(&*error.code(), "busy" | "timeout"), "{error:?}");
}

#[tokio::test]
async fn a_call_passes_its_trace_and_its_deadline_on() {
    let (here, there) = two_hops::remote().timeout(Duration::from_secs(20)).await.unwrap();
    assert!(here.trace.is_some() && here.deadline.is_some(), "{here:?}");
    assert_eq!(there, here);
    let (here, there) = two_hops::remote().await.unwrap();
    assert_eq!((here.deadline, there.deadline), (None, None));
    assert_eq!(here.trace, there.trace);
}

#[tokio::test]
async fn many_calls_keep_their_order_and_lose_nobody() {
    let texts = ["a", "", "ccc", "much too long", "e"];
    let results = flash::map(texts.map(|text| check::remote(text.to_owned()))).concurrency(2).await;
    assert_eq!(results.len(), 5);
    assert_eq!(*results[0].as_ref().unwrap(), 1);
    assert!(matches!(results[1], Err(CallError::Remote(CheckError::Empty))));
    assert_eq!(*results[2].as_ref().unwrap(), 3);
    assert!(matches!(results[3], Err(CallError::Remote(CheckError::TooLong { length: 13, .. }))));
    assert_eq!(*results[4].as_ref().unwrap(), 1);
    assert!(flash::map(Vec::<flash::Call<check>>::new()).await.is_empty());
}

#[tokio::test]
async fn no_more_calls_run_at_once_than_asked_for() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go").display().to_string();
    let calls = {
        let file = file.clone();
        std::iter::repeat_with(move || {
            MADE.fetch_add(1, Ordering::Relaxed);
            hold::remote(file.clone())
        })
        .take(9)
    };
    let open = async {
        while MADE.load(Ordering::Relaxed) < 3 {
            tokio::task::yield_now().await;
        }
        // The calls run, and none was made beyond them.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(MADE.load(Ordering::Relaxed), 3);
        std::fs::write(&file, "").unwrap();
    };
    let (results, ()) = tokio::join!(flash::map(calls).concurrency(3).into_future(), open);
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 9);
}

#[tokio::test]
async fn jobs_and_many_calls_can_be_mocked() {
    let tries = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&tries);
    let mock = Mock::new()
        .on::<check>(move |(text,)| {
            *counted.lock().unwrap() += 1;
            if text == "x" { Err(CheckError::Empty) } else { Ok(77) }
        })
        .on::<count_up>(|_| Ok(flash::Stream::iter([Ok(Number { n: 9 })])));
    mock.run(async {
        assert_eq!(check::remote("abc".into()).spawn().await.unwrap().wait().await.unwrap(), 77);
        let job = check::remote("x".into()).spawn().await.unwrap();
        assert!(matches!(job.wait().await, Err(CallError::Remote(CheckError::Empty))));
        job.retry().await.unwrap();
        assert!(job.wait().await.is_err());
        let job = count_up::remote(3, false).spawn().await.unwrap();
        assert_eq!(job.stream().collect().await.unwrap(), [Number { n: 9 }]);
        let results = flash::map(["a", "x"].map(|text| check::remote(text.to_owned()))).await;
        assert_eq!((*results[0].as_ref().unwrap(), results[1].is_err()), (77, true));
    })
    .await;
    assert_eq!(*tries.lock().unwrap(), 5);
}

#[tokio::test]
async fn arguments_of_a_job_may_have_10_mb() {
    let error = check::remote("x".repeat(10_000_000)).spawn().await.unwrap_err();
    assert_eq!(error.code(), "payload_too_large");
    // Waiting for the call instead, twice as much fits.
    let error = check::remote("x".repeat(10_000_000)).await.unwrap_err();
    assert_eq!(error.code(), "too_long");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocking_caller_is_told_when_its_job_is_cancelled() {
    let job = hold_through::remote("/nonexistent/file".into()).spawn().await.unwrap();
    while job.status().await.unwrap() != JobStatus::InProgress {
        tokio::task::yield_now().await;
    }
    job.cancel().await.unwrap();
    // The runtime would wait for the thread for ever; that this test ends says that it has ended.
}

#[test]
fn reasons_are_words() {
    assert_eq!(WaitReason::NoWorker.to_string(), "no worker runs");
}
