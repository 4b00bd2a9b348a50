//! `#[derive(RemoteError)]`: the caller matches on the callee's own enum.

use flash::{CallError, RemoteError, WireError};

#[derive(Debug, Clone, PartialEq, thiserror::Error, RemoteError)]
#[remote(status = 422, terminal)]
enum ParseError {
    #[error("nothing to parse")]
    Empty,
    #[error("{got:?} letters are more than {max}")]
    #[remote(code = "text_too_long", status = 413)]
    TooLong { max: usize, got: Option<usize> },
    #[error("no such word: {0}")]
    #[remote(retryable)]
    UnknownWord(String),
    #[error("{0} is not before {1}")]
    HTTPRange(u8, u8),
    #[error("nothing in braces")]
    Braces {},
}

#[derive(Debug, thiserror::Error, RemoteError)]
enum PipelineError {
    #[error("parsing failed")]
    #[remote(call, status = 502)]
    Parse(CallError<ParseError>),
    #[error("the disk is full")]
    #[remote(opaque, retryable)]
    Disk(#[source] std::io::Error),
}

#[derive(Debug, Clone, PartialEq, thiserror::Error, RemoteError)]
#[error("limit {limit} reached")]
#[remote(code = "over_limit", status = 429, retryable)]
struct OverLimit {
    limit: u32,
}

fn all() -> Vec<ParseError> {
    vec![
        ParseError::Empty,
        ParseError::TooLong { max: 3, got: Some(4) },
        ParseError::TooLong { max: 0, got: None },
        ParseError::UnknownWord("\"\u{1F600}\"".to_owned()),
        ParseError::HTTPRange(1, 255),
        ParseError::Braces {},
    ]
}

#[test]
fn every_variant_comes_back() {
    for error in all() {
        let wire = error.to_wire();
        assert_eq!(wire.message, error.to_string());
        // As it crosses: encoded and decoded once more.
        let json = serde_json::to_string(&wire).unwrap();
        let wire: WireError = serde_json::from_str(&json).unwrap();
        assert_eq!(ParseError::from_wire(wire).unwrap(), error, "{json}");
    }
    assert_eq!(OverLimit::from_wire(OverLimit { limit: 3 }.to_wire()).unwrap(), OverLimit { limit: 3 });
}

#[test]
fn codes_and_data_have_the_documented_shape() {
    let shapes: Vec<_> = all()
        .iter()
        .map(|error| {
            let wire = error.to_wire();
            (wire.code.into_owned(), wire.data.map(|data| data.to_string()))
        })
        .collect();
    let expected = [
        ("empty", None),
        ("text_too_long", Some(r#"{"got":4,"max":3}"#)),
        ("text_too_long", Some(r#"{"got":null,"max":0}"#)),
        ("unknown_word", Some(r#""\"😀\"""#)),
        ("http_range", Some("[1,255]")),
        ("braces", Some("{}")),
    ];
    let expected = expected.map(|(code, data)| (code.to_owned(), data.map(ToOwned::to_owned)));
    assert_eq!(shapes, expected);
}

#[test]
fn a_variant_says_otherwise_than_its_enum() {
    let of = |error: &ParseError| {
        let wire = error.to_wire();
        (wire.status, wire.retryable, wire.terminal)
    };
    assert_eq!(of(&ParseError::Empty), (Some(422), false, true));
    assert_eq!(of(&ParseError::TooLong { max: 1, got: None }), (Some(413), false, true));
    assert_eq!(of(&ParseError::UnknownWord(String::new())), (Some(422), true, false));
    let wire = OverLimit { limit: 1 }.to_wire();
    assert_eq!(
        (&*wire.code, wire.status, wire.retryable, wire.terminal),
        ("over_limit", Some(429), true, false)
    );
}

#[test]
fn what_does_not_fit_is_given_back_whole() {
    let unknown = WireError::new("out_of_memory", "no room").with_data([1, 2]).with_status(500).retryable();
    assert_eq!(ParseError::from_wire(unknown.clone()).unwrap_err(), unknown);
    for data in [serde_json::json!({ "max": "three" }), serde_json::json!({}), serde_json::json!(3)] {
        let wire = WireError::new("text_too_long", "too long").with_data(data);
        assert_eq!(ParseError::from_wire(wire.clone()).unwrap_err(), wire);
    }
    let without_data = WireError::new("unknown_word", "which?");
    assert_eq!(ParseError::from_wire(without_data.clone()).unwrap_err(), without_data);
}

#[test]
fn an_older_callee_may_lack_an_optional_field() {
    let wire = WireError::new("text_too_long", "too long").with_data(serde_json::json!({ "max": 3 }));
    assert_eq!(ParseError::from_wire(wire).unwrap(), ParseError::TooLong { max: 3, got: None });
}

#[test]
fn of_a_failed_call_only_the_code_travels_on() {
    fn pipeline(failed: CallError<ParseError>) -> Result<(), PipelineError> {
        Err(failed)?
    }
    let secret = ParseError::UnknownWord("hunter2".to_owned());
    let error = pipeline(CallError::Remote(secret)).unwrap_err();
    let wire = error.to_wire();
    assert_eq!(wire.code, "parse");
    assert_eq!(wire.message, "a call to another endpoint failed");
    assert_eq!(wire.data, Some(serde_json::json!({ "code": "unknown_word" })));
    assert_eq!((wire.status, wire.retryable), (Some(502), true));
    let sent = serde_json::to_string(&wire).unwrap();
    assert!(!sent.contains("hunter2"), "{sent}");
    assert!(wire.internal.as_ref().is_some_and(|text| text.contains("hunter2")), "the log does know");
    let PipelineError::Parse(failed) = PipelineError::from_wire(wire).unwrap() else {
        panic!("it was a failed call");
    };
    assert_eq!(failed.code(), "unknown_word");
    assert!(failed.is_retryable());
}

#[test]
fn an_opaque_variant_has_a_code_and_stays_where_it_is() {
    let wire = PipelineError::Disk(std::io::Error::other("inner")).to_wire();
    assert_eq!((&*wire.code, wire.data.as_ref(), wire.retryable), ("disk", None, true));
    assert_eq!(wire.message, "the disk is full");
    assert_eq!(PipelineError::from_wire(wire.clone()).unwrap_err(), wire);
}
