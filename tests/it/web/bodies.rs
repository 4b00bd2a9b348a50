//! What becomes arguments, and what becomes of results.

use flash_tests::web::{Order, Size, search};
use serde_json::json;

use super::client::{Web, request};

#[tokio::test]
async fn enums_lists_and_lenient_numbers_come_from_a_query() {
    let web = Web::start().await;
    let answer = web.get("/search?size=small&ids=1&ids=2&limit=%205").await;
    assert_eq!((answer.status, answer.json()), (200, json!(["small", [1, 2], null, 5])));
    let answer = web.get("/search?size=large&ids=7&order=%7B%22name%22%3A%22n%22%7D").await;
    assert_eq!(answer.json(), json!(["large", [7], {"name": "n", "counts": []}, 10]));
    web.stop().await;
}

#[tokio::test]
async fn a_remote_call_binds_what_it_sends() {
    let order = Some(Order { name: "a&b=ü".to_owned(), counts: vec![1, 2] });
    for ids in [vec![1], vec![1, 2, 3]] {
        let found = search::remote(Size::Large, ids.clone(), order.clone(), 7).await.unwrap();
        assert_eq!(found, (Size::Large, ids, order.clone(), 7));
    }
}

#[tokio::test]
async fn a_struct_is_the_whole_body_beside_the_path() {
    let web = Web::start().await;
    let patch =
        |body: &str| request("PATCH", "/orders/7", "content-type: application/json\r\n", body.as_bytes());
    let answer = web.raw(&patch(r#"{"name": "n", "counts": [1]}"#)).await;
    assert_eq!((answer.status, answer.json()), (200, json!([7, {"name": "n", "counts": [1]}])));
    let answer = web.raw(&patch(r#"{"name": "n", "counts": [1, "x"]}"#)).await;
    assert_eq!(
        answer.json()["errors"],
        json!([{"path": "body.counts[1]", "message": "expected u32, got string"}])
    );
    web.stop().await;
}

#[tokio::test]
async fn bytes_come_raw_in_a_form_or_as_base64() {
    let web = Web::start().await;
    let put = async |headers: &str, body: &[u8]| web.raw(&request("PUT", "/files/a", headers, body)).await;
    let answer = put("content-type: image/png\r\n", b"\x89PNG").await;
    assert_eq!((answer.status, answer.json()), (202, json!(["a", 4, "image/png", []])));
    // What the function chose for its answer.
    assert_eq!((answer.header("x-kept"), answer.header("set-cookie")), (Some("yes"), Some("a=1")));
    let answer = put("", b"12345").await;
    assert_eq!(answer.json(), json!(["a", 5, null, []]));
    let answer = put("content-type: application/json\r\n", br#"{"file": "iVBORw==", "tags": ["x"]}"#).await;
    assert_eq!(answer.json(), json!(["a", 4, null, ["x"]]));
    let form = b"--b\r\ncontent-disposition: form-data; name=\"tags\"\r\n\r\none\r\n\
                 --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f.bin\"\r\ncontent-type: a/b\r\n\r\n\0\xff\r\n\
                 --b\r\ncontent-disposition: form-data; name=\"tags\"\r\n\r\ntwo\r\n--b--\r\n";
    let answer = put("content-type: multipart/form-data; boundary=b\r\n", form).await;
    assert_eq!(answer.json(), json!(["a", 2, "a/b", ["one", "two"]]));
    web.stop().await;
}

#[tokio::test]
async fn a_form_of_text_binds_like_a_query() {
    let web = Web::start().await;
    let form = |body: &str| {
        request("POST", "/measure", "content-type: application/x-www-form-urlencoded\r\n", body.as_bytes())
    };
    let answer = web.raw(&form("text=h%C3%A4+llo&n=7")).await;
    assert_eq!((answer.status, answer.json()), (200, json!(6)));
    web.stop().await;
}

#[tokio::test]
async fn results_are_raw_or_json_as_the_client_asks() {
    let web = Web::start().await;
    let answer = web.get("/files/na%20me").await;
    assert_eq!((answer.header("content-type"), answer.text()), (Some("text/plain"), "na me".to_owned()));
    let answer = web.raw(&request("GET", "/files/name", "accept: application/json\r\n", b"")).await;
    assert_eq!((answer.header("content-type"), answer.json()), (Some("application/json"), json!("bmFtZQ==")));
    let answer = web.raw(&request("GET", "/files/name", "accept: text/html, */*\r\n", b"")).await;
    assert_eq!(answer.text(), "name");
    web.stop().await;
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let web = Web::start().await;
    let mut connection = web.connect().await;
    connection.send(b"HEAD /files/name HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let text = String::from_utf8(connection.until_closed().await).unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("content-length: 4"), "{text}");
    assert!(text.ends_with("\r\n\r\n"), "{text}");
    web.stop().await;
}
