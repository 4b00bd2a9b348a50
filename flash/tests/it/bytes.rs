//! Bytes as parameters and results, and results with a status and headers.

use std::borrow::Cow;

use flash::{Bytes, Endpoint, Error, Response, remote};
use flash_core::{App, Encoded, Fields, Origin, Registration, Registry, Remote, ReplyForm, Scope, WireError};

use crate::support::run;

static CPU: Endpoint = Endpoint::queue("bytes-cpu");
static API: Endpoint = Endpoint::http("bytes-api");

#[remote(resource = API, method = "POST", path = "/reverse")]
async fn reverse(image: Bytes) -> Result<Bytes, Error> {
    let mut bytes = image.to_vec();
    bytes.reverse();
    Ok(Bytes::new(bytes).with_content_type("image/x-reversed"))
}

#[remote(resource = CPU)]
async fn describe(image: Option<Bytes>, name: String) -> Result<String, Error> {
    let Some(image) = image else { return Ok(format!("{name}: nothing")) };
    let kind = image.content_type().unwrap_or("?");
    Ok(format!("{name}: {} of {kind} from {}", image.len(), image.file_name().unwrap_or("?")))
}

#[remote(resource = CPU)]
async fn text_of(base64: String) -> Result<String, Error> {
    Ok(base64)
}

#[remote(resource = API, method = "POST", path = "/users")]
async fn create(name: String, status: u16) -> Result<Response<String>, Error> {
    Ok(Response::new(name.clone()).with_status(status).with_header("location", format!("/users/{name}")))
}

#[remote(resource = API, method = "POST", path = "/nothing")]
async fn nothing() -> Result<Response<()>, Error> {
    Ok(Response::new(()).with_header("x-request", "1"))
}

async fn answer<R: Remote>(fields: Fields<'_>, form: ReplyForm) -> Result<Encoded, WireError> {
    let registration: &'static Registration = Box::leak(Box::new(Registration::of::<R>()));
    let app = App::new(Registry::of([registration]).expect("one function clashes with nothing"));
    registration.start(fields, Scope::builder(app).build(), form)?.run_whole().await
}

#[tokio::test]
async fn in_json_bytes_are_base64_both_ways() {
    assert_eq!(run::<reverse>(r#"{"image":"AQID"}"#).await.unwrap(), r#""AwIB""#);
    assert_eq!(&*reverse::remote(Bytes::new(vec![1, 2])).await.unwrap(), [2, 1]);
    let text = run::<describe>(r#"{"name":"a","image":"data:image/png;base64,AQI="}"#).await.unwrap();
    assert_eq!(text, r#""a: 2 of image/png from ?""#);
    assert_eq!(run::<describe>(r#"{"name":"a"}"#).await.unwrap(), r#""a: nothing""#);
    let error = run::<reverse>(r#"{"image":"not base64!"}"#).await.unwrap_err();
    assert_eq!(error.message, "input.image: expected text in base64: Invalid symbol 32, offset 3.");
    let error = run::<reverse>(r#"{"image":3}"#).await.unwrap_err();
    assert_eq!(error.message, "input.image: expected text in base64, got integer");
}

#[tokio::test]
async fn a_door_gives_raw_bytes_to_the_parameter_that_takes_them() {
    assert!(reverse::META.params[0].is_bytes() && describe::META.params[0].is_bytes());
    assert!(!describe::META.params[1].is_bytes());
    let mut fields = Fields::empty(Origin::Body);
    fields.put_bytes(Cow::Borrowed("image"), Bytes::new(vec![0, 1, 255]));
    let encoded = answer::<reverse>(fields, ReplyForm::raw(100)).await.unwrap();
    let raw = encoded.raw.expect("the form allows raw bytes");
    assert_eq!((&**raw, raw.content_type()), (&[255, 1, 0][..], Some("image/x-reversed")));
    assert!(encoded.json.is_empty());

    let mut fields = Fields::from_json(Origin::Body, br#"{"name":"a"}"#).unwrap();
    let file = Bytes::new(vec![7]).with_content_type("image/png").with_file_name("x.png");
    fields.put_bytes(Cow::Borrowed("image"), file);
    let encoded = answer::<describe>(fields, ReplyForm::raw(100)).await.unwrap();
    assert_eq!(encoded.json, br#""a: 1 of image/png from x.png""#);

    // Another type reads what it would be in JSON.
    let mut fields = Fields::empty(Origin::Body);
    fields.put_bytes(Cow::Borrowed("base64"), Bytes::new(vec![1, 2, 3]));
    assert_eq!(answer::<text_of>(fields, ReplyForm::raw(100)).await.unwrap().json, br#""AQID""#);
}

#[tokio::test]
async fn a_file_that_comes_twice_or_is_unknown_is_an_error() {
    let mut fields = Fields::empty(Origin::Body);
    for name in ["image", "image", "other"] {
        fields.put_bytes(Cow::Borrowed(name), Bytes::new(vec![1]));
    }
    let error = answer::<reverse>(fields, ReplyForm::raw(100)).await.unwrap_err();
    assert_eq!(
        error.message,
        "body.image: the field occurs twice; body.other: unknown field; known fields: `image`"
    );
}

#[tokio::test]
async fn raw_bytes_have_the_replys_limit() {
    let fields = || {
        let mut fields = Fields::empty(Origin::Body);
        fields.put_bytes(Cow::Borrowed("image"), Bytes::new(vec![1; 100]));
        fields
    };
    assert!(answer::<reverse>(fields(), ReplyForm::raw(100)).await.is_ok());
    let error = answer::<reverse>(fields(), ReplyForm::raw(99)).await.unwrap_err();
    assert_eq!(
        (&*error.code, &*error.message),
        ("result_too_large", "the result is too large: payload of 100 bytes is over the limit of 99 bytes")
    );
}

#[tokio::test]
async fn a_response_has_the_status_and_headers_that_the_function_chose() {
    let fields = Fields::from_json(Origin::Body, br#"{"name":"ada","status":201}"#).unwrap();
    let encoded = answer::<create>(fields, ReplyForm::raw(100)).await.unwrap();
    let head = encoded.head.expect("the function chose");
    assert_eq!(head.status(), Some(201));
    assert_eq!(head.headers().collect::<Vec<_>>(), [("location", "/users/ada")]);
    assert_eq!(encoded.json, br#""ada""#);
    let encoded = answer::<nothing>(Fields::empty(Origin::Body), ReplyForm::raw(100)).await.unwrap();
    assert!(encoded.is_unit && encoded.head.is_some());
}

#[tokio::test]
async fn a_response_that_http_does_not_allow_is_an_error_that_says_nothing_of_the_inside() {
    for (input, inside) in [
        (r#"{"name":"ada","status":99}"#, "status 99 is not one from 200 to 599"),
        (
            r#"{"name":"a\r\nset-cookie: x","status":200}"#,
            "the value of the header `location` is not visible ASCII",
        ),
    ] {
        let fields = Fields::from_json(Origin::Body, input.as_bytes()).unwrap();
        let error = answer::<create>(fields, ReplyForm::raw(100)).await.unwrap_err();
        assert_eq!((error.http_status(), error.internal.as_deref()), (500, Some(inside)));
        assert!(!error.message.contains("cookie"));
    }
}

#[tokio::test]
async fn the_caller_of_a_function_with_a_response_gets_its_body() {
    let response = create::remote("ada".to_owned(), 201).await.unwrap();
    assert_eq!((&**response, response.status()), ("ada", None));
}
