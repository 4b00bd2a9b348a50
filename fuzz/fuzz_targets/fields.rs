//! Whatever a client sends as arguments: nothing panics, what decodes encodes the same for ever, and both ways to read arguments
//! find the same.

#![no_main]

use std::collections::BTreeMap;

use flash_core::private::{Json, slot};
use flash_core::{Bytes, FieldWriter, Fields, Origin, Payload};
use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, Serialize};

#[path = "../../flash-core/tests/it/both_ways.rs"]
mod both_ways;

use both_ways::both_ways;

/// More than any output of an input of libFuzzer's size.
const LIMIT: usize = 1 << 24;

#[derive(Serialize, Deserialize)]
struct Record {
    id: u64,
    kind: Kind,
    labels: BTreeMap<String, Option<i64>>,
    children: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
enum Kind {
    Empty,
    Circle(f64),
    Line(i32, f32),
    Box { width: u8, height: Option<u8> },
}

fn encode<T: Payload>(value: &T) -> Vec<u8> {
    let mut writer = FieldWriter::new(LIMIT);
    slot::<T>("x", "T", &Json).put(&mut writer, value);
    writer.finish().expect("what was decoded can be encoded")
}

fn decode<T: Payload>(json: &[u8]) -> Option<T> {
    let mut fields = Fields::from_json(Origin::Input, json).ok()?;
    slot::<T>("x", "T", &Json).take(&mut fields)
}

/// Values that are read in one pass are what each of them is on its own, and so are errors.
fn check_in_one_pass<T: Payload>(json: &[u8]) {
    let [ahead, each] = both_ways::<T>(json);
    assert!(ahead == each, "the two ways differ");
}

fn check<T: Payload>(json: &[u8]) {
    check_in_one_pass::<T>(json);
    let Some(value) = decode::<T>(json) else { return };
    let once = encode(&value);
    let again: T = decode(&once).expect("what was encoded can be decoded");
    assert!(encode(&again) == once, "encoding is not idempotent");
}

/// The same for a value whose fields are those of the whole body.
fn check_body<T: Payload>(json: &[u8]) {
    let decode = |json: &[u8]| {
        let mut fields = Fields::from_json(Origin::Input, json).ok()?;
        slot::<T>("body", "T", &Json).body().take(&mut fields)
    };
    let encode = |value: &T| {
        let mut writer = FieldWriter::new(LIMIT);
        slot::<T>("body", "T", &Json).body().put(&mut writer, value);
        writer.finish().expect("what was decoded can be encoded")
    };
    let Some(value) = decode(json) else { return };
    let once = encode(&value);
    let again: T = decode(&once).expect("what was encoded can be decoded");
    assert!(encode(&again) == once, "encoding is not idempotent");
}

fuzz_target!(|input: &[u8]| {
    check::<bool>(input);
    check::<u64>(input);
    check::<i128>(input);
    check::<f32>(input);
    check::<f64>(input);
    check::<char>(input);
    check::<String>(input);
    check::<Option<String>>(input);
    check::<(i64, String)>(input);
    check::<Vec<Vec<u8>>>(input);
    check::<Record>(input);
    check::<serde_json::Value>(input);
    check::<Bytes>(input);
    check_body::<Record>(input);
    check_body::<BTreeMap<String, serde_json::Value>>(input);
    // The same bytes as the text of a query.
    if let Ok(text) = std::str::from_utf8(input) {
        for origin in [Origin::Query, Origin::Path] {
            let mut fields = Fields::empty(origin);
            for part in text.split('&') {
                fields.add_text(origin, "x".into(), part.into());
            }
            let _ = slot::<Vec<f64>>("x", "T", &Json).take(&mut fields);
            fields.add_text(origin, "x".into(), text.into());
            let _ = slot::<Option<Kind>>("x", "T", &Json).take(&mut fields);
        }
    }
});
