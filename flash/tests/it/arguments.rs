//! Parameters travel by name as JSON.

use std::collections::BTreeMap;

use flash::{Endpoint, Error, remote};
use serde::{Deserialize, Serialize};

use crate::support::{decode, encode, run};

static CPU: Endpoint = Endpoint::queue("arguments-cpu");

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Crop {
    left: i32,
    name: Option<String>,
}

fn default_ratio() -> f64 {
    1.5
}

#[remote(resource = CPU)]
async fn resize(
    bytes: Vec<u8>,
    crop: Option<Crop>,
    #[remote(default = default_ratio())] ratio: f64,
    #[remote(default)] tags: BTreeMap<String, Crop>,
    #[remote(rename = "type")] kind: char,
) -> Result<String, Error> {
    Ok(format!("{}/{crop:?}/{ratio}/{}/{kind}", bytes.len(), tags.len()))
}

#[remote(resource = CPU)]
async fn no_arguments() -> Result<u8, Error> {
    Ok(7)
}

#[test]
fn what_is_encoded_decodes_to_the_same_values() {
    let crop = Crop { left: -3, name: Some("\"quoted\" \u{1F600} \u{0}".to_owned()) };
    let tags = BTreeMap::from([
        (String::new(), crop.clone()),
        ("b".to_owned(), Crop { left: i32::MAX, name: None }),
    ]);
    for args in [
        (vec![], None, 0.1 + 0.2, BTreeMap::new(), '"'),
        (vec![0, 255], Some(crop), f64::MIN_POSITIVE, tags, '\u{1F600}'),
    ] {
        let json = encode::<resize>(&args);
        assert_eq!(decode::<resize>(&json), Some(args.clone()), "{json}");
        let again = decode::<resize>(&json).map(|args| encode::<resize>(&args));
        assert_eq!(again, Some(json));
    }
    assert_eq!(encode::<no_arguments>(&()), "{}");
    assert_eq!(decode::<no_arguments>("{}"), Some(()));
}

#[test]
fn names_are_those_of_the_wire() {
    let json = encode::<resize>(&(vec![1], None, 2.0, BTreeMap::new(), 'x'));
    assert_eq!(json, r#"{"bytes":[1],"crop":null,"ratio":2.0,"tags":{},"type":"x"}"#);
}

#[tokio::test]
async fn what_may_be_missing_may_be_missing() {
    assert_eq!(run::<resize>(r#"{"type":"x","bytes":[]}"#).await.unwrap(), r#""0/None/1.5/0/x""#);
    assert_eq!(run::<no_arguments>("{}").await.unwrap(), "7");
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let input = r#"{"bytes":[1,256],"crop":{"left":"1"},"ratio":1,"kind":"x","tag":{}}"#;
    let error = run::<resize>(input).await.unwrap_err();
    assert_eq!(error.code, "invalid_input");
    let fields = error.field_errors();
    let paths: Vec<_> = fields.iter().map(|field| field.path.as_str()).collect();
    for path in ["input.bytes[1]", "input.crop.left", "input.type", "input.kind", "input.tag"] {
        assert!(paths.contains(&path), "{path} is not named in {fields:?}");
    }
    assert_eq!(paths.len(), 5, "{fields:?}");
    let text = error.message;
    assert!(text.contains("did you mean `tags`?"), "{text}");
    assert!(text.contains("`bytes`, `crop`, `ratio`, `tags`, `type`"), "{text}");
}

#[test]
fn a_default_is_for_a_missing_field_and_not_for_a_wrong_one() {
    assert_eq!(decode::<resize>(r#"{"bytes":[],"type":"x","ratio":"wide"}"#), None);
    assert_eq!(decode::<resize>(r#"{"bytes":[],"type":"x","ratio":null}"#), None);
}
