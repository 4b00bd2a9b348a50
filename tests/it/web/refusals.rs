//! Bad input of every kind has its status and its words, and never 500.

use serde_json::Value;

use super::client::{Web, request};

/// A refusal: what is sent, and the status, the code and a part of the detail that come back.
type Case = (&'static str, Vec<u8>, u16, &'static str, &'static str);

fn json(body: &str) -> Vec<u8> {
    request("POST", "/measure", "content-type: application/json\r\n", body.as_bytes())
}

fn of_type(content_type: &str, body: &[u8]) -> Vec<u8> {
    request("POST", "/measure", &format!("content-type: {content_type}\r\n"), body)
}

fn get(path: &str) -> Vec<u8> {
    request("GET", path, "", b"")
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    let deep = format!(r#"{{"text": {}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let deep_objects = format!(r#"{{"text": {}1{}}}"#, r#"{"a":"#.repeat(50_000), "}".repeat(50_000));
    let digits = "9".repeat(100_000);
    vec![
        ("truncated text", json(r#"{"text": "a"#), 400, "invalid_json", "body is not JSON: EOF"),
        ("truncated object", json(r#"{"text": "a","#), 400, "invalid_json", "EOF"),
        ("truncated number", json(r#"{"text": "a", "x": 1e"#), 400, "invalid_json", "body is not JSON"),
        ("no JSON at all", json("hello"), 400, "invalid_json", "column 1"),
        ("two documents", json(r#"{"text": "a"} {"text": "b"}"#), 400, "invalid_json", "trailing characters"),
        ("a comment", json(r#"{"text": "a" /* b */}"#), 400, "invalid_json", "body is not JSON"),
        ("a trailing comma", json(r#"{"text": "a",}"#), 400, "invalid_json", "trailing comma"),
        ("a control character", json("{\"text\": \"a\nb\"}"), 400, "invalid_json", "control character"),
        ("a lone surrogate", json(r#"{"text": "\ud800"}"#), 422, "invalid_input", "body.text: "),
        ("invalid UTF-8", of_type("application/json", b"{\"text\": \"\xff\xfe\"}"), 400, "invalid_json", "unicode"),
        ("invalid UTF-8 in a name", of_type("application/json", b"{\"\xff\": 1}"), 400, "invalid_json", "body is not JSON"),
        ("a byte order mark", of_type("application/json", b"\xef\xbb\xbf{\"text\": \"a\"}"), 400, "invalid_json", "body is not JSON"),
        ("UTF-16", of_type("application/json", b"\xff\xfe{\0\"\0"), 400, "invalid_json", "body is not JSON"),
        ("deep lists", json(&deep), 422, "invalid_input", "body.text: expected a string, got array"),
        ("deep objects", json(&deep_objects), 422, "invalid_input", "body.text: expected a string, got object"),
        ("deep lists alone", of_type("application/json", "[".repeat(200_000).as_bytes()), 422, "invalid_input", "body: expected an object"),
        ("a list", json("[1]"), 422, "invalid_input", "body: expected an object"),
        ("null", json("null"), 422, "invalid_input", "body: expected an object"),
        ("a large number", json(r#"{"text": "a", "n": 4294967296}"#), 422, "invalid_input", "body.n: expected u32, got integer `4294967296`"),
        ("a very large number", json(&format!(r#"{{"text": "a", "n": {digits}}}"#)), 422, "invalid_input", "body.n: "),
        ("a number that no float holds", json(r#"{"text": "a", "x": 1e999}"#), 422, "invalid_input", "body.x: number out of range"),
        ("a negative number", json(r#"{"text": "a", "n": -1}"#), 422, "invalid_input", "body.n: expected u32, got integer `-1`"),
        ("a fraction", json(r#"{"text": "a", "n": 1.0}"#), 422, "invalid_input", "body.n: expected u32, got number"),
        ("a number as text", json(r#"{"text": "a", "n": "1"}"#), 422, "invalid_input", "body.n: expected u32, got string"),
        ("NaN", json(r#"{"text": "a", "x": NaN}"#), 400, "invalid_json", "body is not JSON"),
        ("a field twice", json(r#"{"text": "a", "text": "b"}"#), 422, "invalid_input", "body.text: the field occurs twice"),
        ("a field twice, once escaped", json(r#"{"text": "a", "te\u0078t": "b"}"#), 422, "invalid_input", "body.text: the field occurs twice"),
        ("a field of the path in the body", request("PUT", "/files/a", "content-type: application/json\r\n", br#"{"file": "aGk=", "name": "b"}"#), 422, "invalid_input", "body.name: unknown field"),
        ("an unknown field", json(r#"{"text": "a", "txet": 1}"#), 422, "invalid_input", "body.txet: unknown field"),
        ("no field", json("{}"), 422, "invalid_input", "body.text: missing field"),
        ("no body", request("POST", "/measure", "", b""), 422, "invalid_input", "body.text: missing field"),
        ("null for text", json(r#"{"text": null}"#), 422, "invalid_input", "body.text: "),
        ("text", of_type("text/plain", b"{}"), 415, "unsupported_media_type", "`text/plain`"),
        ("XML", of_type("application/xml", b"<a/>"), 415, "unsupported_media_type", "`application/xml`"),
        ("a content type of nonsense", of_type(";;=", b"{}"), 415, "unsupported_media_type", "content type"),
        ("a form without a boundary", of_type("multipart/form-data", b"x"), 400, "invalid_request", "multipart"),
        ("a form that breaks off", of_type("multipart/form-data; boundary=x", b"--x\r\ncontent-disposition: form-data; name=\"text\"\r\n\r\nabc"), 400, "invalid_request", "multipart"),
        ("a form with a bad number", of_type("application/x-www-form-urlencoded", b"text=a&n=x"), 422, "invalid_input", "body.n: expected u32, got string"),
        ("a queue's wrapper", json(r#"{"input": {"text": "a"}}"#), 400, "invalid_request", "`input` is the wrapper"),
        ("a folder up", get("/files/.."), 422, "invalid_input", "path.name: `.` and `..`"),
        ("an encoded folder up", get("/files/%2e%2E"), 422, "invalid_input", "path.name: `.` and `..`"),
        ("an encoded path up", get("/files/..%2f..%2Fetc%2fpasswd"), 422, "invalid_input", "path.name: `.` and `..`"),
        ("a path up from within", get("/files/a%2f..%2fb"), 422, "invalid_input", "path.name: `.` and `..`"),
        ("the same for Windows", get("/files/..%5c..%5csecret"), 422, "invalid_input", "path.name: `.` and `..`"),
        ("a zero byte", get("/files/a%00.png"), 422, "invalid_input", "path.name: a zero byte"),
        ("a path that is not UTF-8", get("/files/%ff%fe"), 422, "invalid_input", "path.name: expected UTF-8"),
        ("more segments than the route has", get("/files/a/../../etc/passwd"), 404, "not_found", "no route for GET /files/a/../../etc/passwd"),
        ("a bad number in a query", get("/search?size=small&ids=1&limit=300"), 422, "invalid_input", "query.limit: expected u8, got integer `300`"),
        ("a bad list in a query", get("/search?size=small&ids=1&ids=x"), 422, "invalid_input", "query.ids[1]: expected u32, got string"),
        ("a bad choice in a query", get("/search?size=huge&ids=1"), 422, "invalid_input", "query.size: unknown variant `huge`"),
        ("a query that misses a field", get("/search?size=small"), 422, "invalid_input", "query.ids: missing field"),
        ("an unknown field in a query", get("/search?size=small&ids=1&sise=2"), 422, "invalid_input", "query.sise: unknown field"),
        ("no such path", get("/nothing"), 404, "not_found", "no route for GET /nothing"),
        ("a function by name", request("POST", "/execute", "content-type: application/json\r\n", br#"{"function": "measure"}"#), 404, "not_found", "/execute"),
        ("another verb", get("/measure"), 405, "method_not_allowed", "GET is not allowed for /measure"),
        ("an unknown verb", request("BREW", "/measure", "", b""), 405, "method_not_allowed", "BREW is not allowed"),
    ]
}

#[tokio::test]
async fn every_kind_of_bad_input_has_its_status_and_its_words() {
    let web = Web::start().await;
    for (what, bytes, status, code, part) in cases() {
        let answer = web.raw(&bytes).await;
        let problem = answer.json();
        assert_eq!((answer.status, &problem["code"]), (status, &Value::from(code)), "{what}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(part), "{what}: {detail}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
        assert_eq!(problem["request_id"].as_str(), answer.header("x-request-id"), "{what}");
        if status == 422 {
            assert!(
                problem["errors"].as_array().is_some_and(|errors| !errors.is_empty()),
                "{what}: {problem}"
            );
        }
        // What was wrong is told, and not what may be secret in it.
        assert!(detail.len() < 1000, "{what}: {detail}");
    }
    web.stop().await;
}

#[tokio::test]
async fn a_verb_that_is_missing_is_answered_with_those_that_are_there() {
    let web = Web::start().await;
    for (path, verbs) in [("/measure", "POST"), ("/search", "GET,HEAD,POST"), ("/files/a", "GET,HEAD,PUT")] {
        let answer = web.raw(&request("DELETE", path, "", b"")).await;
        let mut allowed: Vec<&str> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!((answer.status, allowed.join(",")), (405, verbs.to_owned()), "{path}");
    }
    web.stop().await;
}

#[tokio::test]
async fn what_is_no_http_is_refused_by_the_server() {
    let web = Web::start().await;
    let many: String = (0..100_000).map(|n| format!("x-{n}: 1\r\n")).collect();
    for (what, bytes, status) in [
        ("100 000 headers", request("GET", "/ping", &many, b""), 431),
        ("one large header", request("GET", "/ping", &format!("x-a: {}\r\n", "a".repeat(100_000)), b""), 431),
        ("a long address", get(&format!("/{}", "a".repeat(70_000))), 431),
        ("no HTTP", b"\0\x01\x02\x03\r\n\r\n".to_vec(), 400),
        ("a header without a name", b"GET / HTTP/1.1\r\n: x\r\n\r\n".to_vec(), 400),
        (
            "two lengths",
            b"POST /measure HTTP/1.1\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}x".to_vec(),
            400,
        ),
        ("a length of nonsense", b"POST /measure HTTP/1.1\r\ncontent-length: -1\r\n\r\n{}".to_vec(), 400),
        (
            "chunks of nonsense",
            b"POST /measure HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec(),
            400,
        ),
    ] {
        let answer = web.raw(&bytes).await;
        assert_eq!(answer.status, status, "{what}");
    }
    // And the worker is as well as before.
    assert_eq!(web.get("/ping").await.status, 200);
    web.stop().await;
}

#[tokio::test]
async fn a_panic_is_500_with_an_id_and_nothing_of_the_inside() {
    let web = Web::start().await;
    // In the function, and before it, in the user's own type.
    for (path, body) in [("/panic", "{}"), ("/explosive", r#"{"text": "a", "explosive": 1}"#)] {
        let answer = web.post(path, body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (500, &Value::from("panic")), "{path}");
        assert!(!answer.text().contains("secret"), "{}", answer.text());
        assert!(answer.header("x-request-id").is_some_and(|id| answer.json()["request_id"] == id));
    }
    web.stop().await;
}
