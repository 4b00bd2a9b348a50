//! Typed remote calls inside of one process.

use flash::CallError;
use flash::testing::Mock;
use flash_tests::{CheckError, Item, check, check_through, echo, pids, put_item};

#[tokio::test]
async fn a_function_is_called_directly() {
    assert_eq!(check("abc".into()).await, Ok(3));
}

#[tokio::test]
async fn a_remote_call_has_the_types_of_the_function() {
    let item = Item { name: "ü\n".into(), counts: vec![0, u32::MAX] };
    let (text, back) = echo::remote("a".into(), 3, Some(item.clone())).await.unwrap();
    assert_eq!((text.as_str(), back), ("aaa", Some(item.clone())));
    let (id, back) = put_item::remote(9, item.clone()).await.unwrap();
    assert_eq!((id, back), (9, item));
}

#[tokio::test]
async fn the_caller_matches_on_the_callees_own_error() {
    let error = check::remote(String::new()).await.unwrap_err();
    assert!(matches!(error, CallError::Remote(CheckError::Empty)), "{error:?}");
    let error = check::remote("much too long".into()).await.unwrap_err();
    let CallError::Remote(CheckError::TooLong { length, limit }) = error else { panic!("{error:?}") };
    assert_eq!((length, limit), (13, 10));
}

#[tokio::test]
async fn an_upstream_failure_becomes_the_declared_variant() {
    let error = check_through::remote(String::new()).await.unwrap_err();
    let CallError::Remote(flash_tests::ThroughError::Check(upstream)) = error else { panic!("{error:?}") };
    assert_eq!(upstream.code(), "empty");
}

#[tokio::test]
async fn a_mock_answers_inside_of_its_scope_only() {
    let mock = Mock::new().on::<check>(|(text,)| if text == "x" { Err(CheckError::Empty) } else { Ok(77) });
    // `check_through` calls `check`, so the mock reaches it through a real function.
    let mocked = mock.run(async { check_through::remote("abc".into()).await.unwrap() });
    let (mocked, real) = tokio::join!(mocked, async { check_through::remote("abc".into()).await.unwrap() });
    assert_eq!((mocked, real), (77, 3));
}

#[tokio::test]
async fn a_call_in_a_spawned_task_keeps_its_scope() {
    let mock = Mock::new().on::<check>(|_| Ok(5));
    let spawned =
        mock.run(async { flash::spawn(async { check::remote("abc".into()).await.unwrap() }).await });
    assert_eq!(spawned.await.unwrap(), 5);
}

#[test]
fn a_plain_program_waits_for_a_call() {
    let (here, there) = pids::remote().wait().unwrap();
    assert_eq!((here, there), (std::process::id(), std::process::id()));
}
