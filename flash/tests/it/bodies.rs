//! A parameter that is the whole body.

use flash::{Endpoint, Error, remote};
use serde::{Deserialize, Serialize};

use crate::support::{decode, encode, run};

static CPU: Endpoint = Endpoint::queue("bodies-cpu");
static API: Endpoint = Endpoint::http("bodies-api");

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    item: String,
    #[serde(default = "one")]
    count: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    text: String,
}

fn one() -> u32 {
    1
}

#[remote(resource = CPU)]
async fn order(#[remote(body)] order: Order) -> Result<Order, Error> {
    Ok(order)
}

#[remote(resource = API, method = "PUT", path = "/orders/{id}")]
async fn change(
    #[remote(body)] order: Order,
    id: u32,
    #[remote(default)] dry: bool,
) -> Result<String, Error> {
    Ok(format!("{id} {dry} {order:?}"))
}

#[remote(resource = CPU)]
async fn maybe(#[remote(body)] order: Option<Order>) -> Result<bool, Error> {
    Ok(order.is_some())
}

#[remote(resource = CPU)]
async fn no_object(#[remote(body)] list: Vec<u32>) -> Result<usize, Error> {
    Ok(list.len())
}

fn tea() -> Order {
    Order { item: "tea".to_owned(), count: 2, note: None }
}

#[tokio::test]
async fn its_fields_are_the_fields_of_the_body() {
    let answer = run::<order>(r#"{"item":"tea","count":2}"#).await.unwrap();
    assert_eq!(answer, r#"{"item":"tea","count":2}"#);
    assert_eq!(encode::<order>(&(tea(),)), r#"{"item":"tea","count":2}"#);
    assert_eq!(decode::<order>(&encode::<order>(&(tea(),))), Some((tea(),)));
    assert_eq!(order::remote(tea()).await.unwrap(), tea());
}

#[tokio::test]
async fn other_parameters_stand_beside_it() {
    let answer = run::<change>(r#"{"item":"tea","id":7,"count":2,"dry":true}"#).await.unwrap();
    assert!(answer.starts_with("\"7 true Order"), "{answer}");
    assert_eq!(encode::<change>(&(tea(), 7, false)), r#"{"item":"tea","count":2,"id":7,"dry":false}"#);
    assert!(change::remote(tea(), 7, true).await.unwrap().starts_with("7 true"));
}

#[tokio::test]
async fn what_is_wrong_in_it_is_named_by_its_own_path() {
    let error = run::<order>(r#"{"item":"tea","note":{"text":3}}"#).await.unwrap_err();
    assert_eq!(error.message, "input.note.text: expected a string, got integer");
    let error = run::<order>("{}").await.unwrap_err();
    assert_eq!(error.message, "input: missing field `item`");
    let error = run::<change>(r#"{"item":"tea","id":"x"}"#).await.unwrap_err();
    assert_eq!(error.message, "input.id: expected u32, got string");
}

#[tokio::test]
async fn an_optional_one_is_missing_where_nothing_is_left() {
    assert_eq!(run::<maybe>("{}").await.unwrap(), "false");
    assert_eq!(run::<maybe>(r#"{"item":"tea"}"#).await.unwrap(), "true");
    assert_eq!(encode::<maybe>(&(None,)), "{}");
    assert!(!maybe::remote(None).await.unwrap());
}

#[tokio::test]
async fn one_that_is_no_object_cannot_be_sent() {
    let error = no_object::remote(vec![1]).await.unwrap_err();
    assert_eq!(error.to_string(), "argument `list` is the whole body, and that has to be a JSON object");
}
