//! What is encoded decodes to the same, for any value; and nothing that arrives can break the decoder.

use std::collections::BTreeMap;
use std::fmt::Debug;

use flash_core::private::{Json, slot};
use flash_core::{Bytes, FieldWriter, Fields, Origin, Payload};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::both_ways::both_ways;

/// Longer than any payload made here.
const LIMIT: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Record {
    id: u64,
    #[serde(rename = "type")]
    kind: Shape,
    labels: BTreeMap<String, Option<i64>>,
    children: Vec<Record>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Shape {
    Empty,
    Circle(f64),
    Line(i32, i32),
    Box { width: u8, height: Option<u8> },
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Empty),
        finite().prop_map(Shape::Circle),
        any::<(i32, i32)>().prop_map(|(a, b)| Shape::Line(a, b)),
        any::<(u8, Option<u8>)>().prop_map(|(width, height)| Shape::Box { width, height }),
    ]
}

/// JSON has no other numbers.
fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |number| number.is_finite())
}

fn record() -> impl Strategy<Value = Record> {
    let leaf = (any::<u64>(), shape(), btree_map(any::<String>(), any::<Option<i64>>(), 0..3))
        .prop_map(|(id, kind, labels)| Record { id, kind, labels, children: Vec::new() });
    leaf.prop_recursive(3, 12, 3, |inner| {
        (inner.clone(), vec(inner, 0..3)).prop_map(|(record, children)| Record { children, ..record })
    })
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        finite().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn encode<T: Payload>(name: &'static str, value: &T) -> Vec<u8> {
    let mut writer = FieldWriter::new(LIMIT);
    slot::<T>(name, "T", &Json).put(&mut writer, value);
    writer.finish().unwrap()
}

fn decode<T: Payload>(name: &'static str, json: &[u8]) -> Option<T> {
    let mut fields = Fields::from_json(Origin::Input, json).ok()?;
    slot::<T>(name, "T", &Json).take(&mut fields)
}

/// A request is the same arguments and the same errors whether its values are read in one pass, or each on its own.
fn in_one_pass<T: Payload>(json: &[u8]) -> TestCaseResult {
    let [ahead, each] = both_ways::<T>(json);
    prop_assert_eq!(ahead, each, "{}", String::from_utf8_lossy(json));
    Ok(())
}

/// decode(encode(v)) = v, also beside other fields and under a name that needs escapes.
fn round_trip<T: Payload + PartialEq + Debug>(value: &T) -> TestCaseResult {
    let json = encode("x", value);
    let read = decode::<T>("x", &json);
    prop_assert_eq!(read.as_ref(), Some(value), "{}", String::from_utf8_lossy(&json));
    // Only a `null` may also be missing: the same value, by another way.
    if let Some(absent) = decode::<T>("x", b"{}") {
        prop_assert_eq!(serde_json::to_value(&absent).ok(), Some(Value::Null));
    }

    const ODD: &str = "a \"quoted\"\\ \u{1}\n\u{1f600}";
    let mut writer = FieldWriter::new(LIMIT);
    slot::<bool>("before", "bool", &Json).put(&mut writer, &true);
    slot::<T>(ODD, "T", &Json).put(&mut writer, value);
    slot::<u8>("after", "u8", &Json).put(&mut writer, &7);
    let json = writer.finish().unwrap();
    let read = decode::<T>(ODD, &json);
    prop_assert_eq!(read.as_ref(), Some(value));
    prop_assert_eq!(decode::<bool>("before", &json), Some(true));
    prop_assert_eq!(decode::<u8>("after", &json), Some(7));
    Ok(())
}

/// The same for a value whose fields are those of the body, beside another parameter.
fn round_trip_as_body<T: Payload + PartialEq + Debug>(value: &T) -> TestCaseResult {
    let mut writer = FieldWriter::new(LIMIT);
    slot::<T>("body", "T", &Json).body().put(&mut writer, value);
    slot::<u8>("beside it", "u8", &Json).put(&mut writer, &7);
    let json = writer.finish().unwrap();
    let mut fields = Fields::from_json(Origin::Input, &json).unwrap();
    prop_assert_eq!(slot::<u8>("beside it", "u8", &Json).take(&mut fields), Some(7));
    let read = slot::<T>("body", "T", &Json).body().take(&mut fields);
    prop_assert_eq!(read.as_ref(), Some(value), "{}", String::from_utf8_lossy(&json));
    prop_assert!(fields.is_empty());
    Ok(())
}

/// Where a text decodes, encoding what it decodes to changes nothing any more.
fn idempotent<T: Payload>(json: &[u8]) -> TestCaseResult {
    let Some(value) = decode::<T>("x", json) else { return Ok(()) };
    let once = encode("x", &value);
    let again = decode::<T>("x", &once);
    prop_assert!(again.is_some(), "does not decode again: {}", String::from_utf8_lossy(&once));
    let twice = again.map(|value| encode("x", &value));
    prop_assert_eq!(twice.as_ref(), Some(&once), "{}", String::from_utf8_lossy(&once));
    Ok(())
}

/// All of it for one type.
fn sound<T: Payload>(json: &[u8]) -> TestCaseResult {
    in_one_pass::<T>(json)?;
    idempotent::<T>(json)
}

/// `sound` over every type that is tested here.
fn sound_for_all(json: &[u8]) -> TestCaseResult {
    sound::<bool>(json)?;
    sound::<u8>(json)?;
    sound::<i64>(json)?;
    sound::<u64>(json)?;
    sound::<f32>(json)?;
    sound::<f64>(json)?;
    sound::<char>(json)?;
    sound::<String>(json)?;
    sound::<()>(json)?;
    sound::<Option<String>>(json)?;
    sound::<Vec<Value>>(json)?;
    sound::<(i64, String)>(json)?;
    sound::<BTreeMap<String, Value>>(json)?;
    sound::<Bytes>(json)?;
    sound::<Shape>(json)?;
    sound::<Record>(json)?;
    sound::<Value>(json)
}

/// Text that is nearly JSON: the interesting neighbourhood of the decoder.
fn near_json() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(":".to_owned()),
        Just(",".to_owned()),
        Just("\"x\"".to_owned()),
        Just("\"x\":".to_owned()),
        Just("\"y\":".to_owned()),
        Just("null".to_owned()),
        Just("1e999".to_owned()),
        Just("-0".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        any::<i128>().prop_map(|number| number.to_string()),
        any::<String>(),
    ];
    prop_oneof![
        vec(any::<u8>(), 0..64),
        vec(part.clone(), 0..24).prop_map(|parts| parts.concat().into_bytes()),
        vec(part, 0..6).prop_map(|parts| format!("{{\"x\": {}}}", parts.concat()).into_bytes()),
    ]
}

/// How many cases; `FLASH_TEST_SCALE` is the percentage of the full count that a run of the gate asks for.
fn config() -> ProptestConfig {
    let scale = std::env::var("FLASH_TEST_SCALE").ok().and_then(|text| text.parse::<u32>().ok()).unwrap_or(1);
    ProptestConfig {
        cases: (100 * scale).clamp(100, 10_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn numbers_come_back(a: u64, b: i64, c in finite(), d: i8, e: u128, f: i128) {
        round_trip(&a)?;
        round_trip(&b)?;
        round_trip(&c)?;
        round_trip(&d)?;
        round_trip(&e)?;
        round_trip(&f)?;
    }

    #[test]
    fn texts_come_back(a: String, b: char, c: Option<String>, d: bool) {
        round_trip(&a)?;
        round_trip(&b)?;
        round_trip(&c)?;
        round_trip(&d)?;
        round_trip(&())?;
    }

    #[test]
    fn collections_come_back(
        a: Vec<Option<u16>>,
        b: (i32, String, [bool; 3]),
        c in btree_map(any::<String>(), vec(finite(), 0..3), 0..4),
        d in btree_map(any::<i32>(), any::<bool>(), 0..4),
    ) {
        round_trip(&a)?;
        round_trip(&b)?;
        round_trip(&c)?;
        round_trip(&d)?;
    }

    #[test]
    fn derived_types_come_back(a in shape(), b in record(), c in json()) {
        round_trip(&a)?;
        round_trip(&b)?;
        round_trip(&c)?;
    }

    #[test]
    fn bytes_come_back(a: Vec<u8>, b: Option<Vec<u8>>) {
        round_trip(&Bytes::new(a))?;
        round_trip(&b.map(Bytes::new))?;
    }

    #[test]
    fn a_body_comes_back(a in record(), b in btree_map("[a-z]{0,5}", any::<Option<i64>>(), 0..4)) {
        round_trip_as_body(&a)?;
        round_trip_as_body(&b)?;
    }

    #[test]
    fn what_decodes_is_encoded_the_same_for_ever(value in json()) {
        let json = serde_json::to_vec(&serde_json::json!({ "x": value })).unwrap();
        sound_for_all(&json)?;
        // Text that serde_json would not have written.
        let loose = serde_json::to_string_pretty(&serde_json::json!({ "y": "\"1\"\n", "x": value })).unwrap();
        sound_for_all(loose.as_bytes())?;
    }

    #[test]
    fn no_input_breaks_the_decoder(bytes in near_json()) {
        sound_for_all(&bytes)?;
    }
}
