//! How arguments are read. The reader is the one that `#[remote]` uses.

use flash_core::private::{Json, slot};
use std::borrow::Cow;

use flash_core::{Fields, Origin};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    Green,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: u32,
}

fn text<T: flash_core::Payload>(values: &[&'static str]) -> Option<T> {
    let mut fields = Fields::empty(Origin::Query);
    for value in values {
        fields.add_text(Origin::Query, Cow::Borrowed("x"), Cow::Borrowed(value));
    }
    slot::<T>("x", "T", &Json).take(&mut fields)
}

#[test]
fn text_of_a_query_takes_the_type_of_the_parameter() {
    assert_eq!(text::<String>(&["42"]), Some("42".to_owned()));
    assert_eq!(text::<u32>(&["42"]), Some(42));
    assert_eq!(text::<u32>(&["007"]), None);
    assert_eq!(text::<f64>(&["1e3"]), Some(1000.0));
    assert_eq!(text::<bool>(&["true"]), Some(true));
    assert_eq!(text::<Colour>(&["green"]), Some(Colour::Green));
    assert_eq!(text::<Option<u32>>(&[]), Some(None));
    assert_eq!(text::<Option<u32>>(&["7"]), Some(Some(7)));
    assert_eq!(text::<Vec<u32>>(&["1", "2"]), Some(vec![1, 2]));
    assert_eq!(text::<Vec<String>>(&["1", "b"]), Some(vec!["1".to_owned(), "b".to_owned()]));
    // A list may have one item, and be written as JSON.
    assert_eq!(text::<Vec<u32>>(&["1"]), Some(vec![1]));
    assert_eq!(text::<Vec<u32>>(&["[1]"]), Some(vec![1]));
    assert_eq!(text::<Option<Vec<Colour>>>(&["red"]), Some(Some(vec![Colour::Red])));
    // What could be text stays text: nobody gets a structure by accident.
    assert_eq!(text::<Vec<String>>(&[r#"["a"]"#]), Some(vec![r#"["a"]"#.to_owned()]));
    assert_eq!(text::<serde_json::Value>(&[r#"{"a": 1}"#]), Some(serde_json::json!(r#"{"a": 1}"#)));
    assert_eq!(text::<Point>(&[r#"{"x": 1}"#]), Some(Point { x: 1 }));
    assert_eq!(text::<Vec<Point>>(&[r#"{"x": 1}"#]), Some(vec![Point { x: 1 }]));
    // What JSON cannot hold cannot come in here either.
    assert_eq!(text::<f64>(&["NaN"]), None);
    assert_eq!(text::<f64>(&["inf"]), None);
    assert_eq!(text::<u32>(&[]), None);
}

fn complaint<T: flash_core::Payload>(values: &[&'static str]) -> String {
    let mut fields = Fields::empty(Origin::Query);
    for value in values {
        fields.add_text(Origin::Query, Cow::Borrowed("x"), Cow::Borrowed(value));
    }
    assert_eq!(slot::<T>("x", "T", &Json).take(&mut fields).map(|_| ()), None);
    format!("{fields:?}")
}

#[test]
fn text_that_does_not_fit_is_told_as_what_it_looks_like() {
    for (complaint, path, message) in [
        (complaint::<u32>(&["x"]), "query.x", "expected u32, got string"),
        (complaint::<u8>(&["300"]), "query.x", "expected u8, got integer `300`"),
        (complaint::<u8>(&["1.5"]), "query.x", "expected u8, got number"),
        (complaint::<Vec<u32>>(&["x"]), "query.x[0]", "expected u32, got string"),
        (complaint::<Vec<u32>>(&["1", "x"]), "query.x[1]", "expected u32, got string"),
        (complaint::<u32>(&["1", "2"]), "query.x", "expected u32, got array"),
        (complaint::<Point>(&["1"]), "query.x", "expected struct Point, got integer"),
        (complaint::<Point>(&["x"]), "query.x", "expected struct Point, got string"),
        (complaint::<Point>(&[r#"{"x": "y"}"#]), "query.x.x", "expected u32, got string"),
        (complaint::<Vec<Point>>(&["1"]), "query.x[0]", "expected struct Point, got integer"),
        (complaint::<Colour>(&["blue"]), "query.x", "unknown variant `blue`"),
    ] {
        assert!(
            complaint.contains(&format!("path: \"{path}\"")) && complaint.contains(message),
            "{complaint}"
        );
    }
}

#[test]
fn values_are_borrowed_until_a_parameter_asks() {
    let json = br#"{"a\u0062": "x", "n": [1, {"deep": null}]}"#;
    let fields = Fields::from_json(Origin::Input, json).unwrap();
    let entries: Vec<_> = fields.json_entries().collect();
    assert_eq!(entries, [("ab", r#""x""#), ("n", r#"[1, {"deep": null}]"#)]);
}

#[test]
fn what_is_no_object_is_refused() {
    for (json, code) in [
        (&b"{"[..], "invalid_json"),
        (b"{} x", "invalid_json"),
        (b"", "invalid_json"),
        (b"{\"a\": \xff}", "invalid_json"),
        (b"[1]", "invalid_input"),
        (b"\"text\"", "invalid_input"),
        (b"null", "invalid_input"),
    ] {
        let error = Fields::from_json(Origin::Input, json).unwrap_err();
        assert_eq!(error.code, code, "{:?}: {}", String::from_utf8_lossy(json), error.message);
    }
}

#[test]
fn the_number_of_fields_is_bounded() {
    let many: Vec<String> = (0..2000).map(|n| format!("\"f{n}\": {n}")).collect();
    let json = format!("{{{}}}", many.join(","));
    let error = Fields::from_json(Origin::Input, json.as_bytes()).unwrap_err();
    assert!(error.message.contains("more than 1024 fields"), "{}", error.message);
}
