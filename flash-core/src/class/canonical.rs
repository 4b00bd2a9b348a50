use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Deepest nesting; serde_json's own limit for values.
const MAX_DEPTH: usize = 128;

/// JSON without whitespace and with sorted keys, so that equal values are equal texts. Numbers stay the text they are:
/// as floats, large integers would become equal.
///
/// # Errors
/// Text that is not JSON, an object with a key twice, or nesting that no value has.
pub(super) fn canonical(json: &str) -> Result<String, String> {
    let mut text = String::with_capacity(json.len());
    write(json, MAX_DEPTH, &mut text)?;
    Ok(text)
}

fn write(json: &str, depth: usize, text: &mut String) -> Result<(), String> {
    let depth = depth.checked_sub(1).ok_or("the value is nested too deeply")?;
    match json.trim_ascii_start().as_bytes().first() {
        Some(b'{') => {
            let Entries(entries) = parse(json)?;
            text.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&serde_json::Value::from(key).to_string());
                text.push(':');
                write(value.get(), depth, text)?;
            }
            text.push('}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = parse(json)?;
            text.push('[');
            for (index, item) in items.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item.get(), depth, text)?;
            }
            text.push(']');
        }
        Some(b'"') => {
            let string: String = parse(json)?;
            text.push_str(&serde_json::Value::from(string).to_string());
        }
        _ => {
            let value: &RawValue = parse(json)?;
            text.push_str(value.get().trim_ascii());
        }
    }
    Ok(())
}

fn parse<'a, T: serde::Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

struct Entries<'a>(BTreeMap<String, &'a RawValue>);

impl<'de> serde::Deserialize<'de> for Entries<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if entries.insert(key, value).is_some() {
                        return Err(serde::de::Error::custom("an object has a key twice"));
                    }
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn equal_values_are_equal_texts() {
        let text = canonical("{ \"b\" : [1, {\"z\": null, \"y\": \"\\u0061\"}], \"a\": true }").unwrap();
        assert_eq!(text, r#"{"a":true,"b":[1,{"y":"a","z":null}]}"#);
        assert_eq!(canonical(&text), Ok(text));
    }

    #[test]
    fn large_integers_do_not_merge() {
        let (a, b) = (canonical("9007199254740993"), canonical("9007199254740992"));
        assert!(a.is_ok() && a != b, "{a:?}");
    }

    #[test]
    fn what_could_merge_or_overflow_is_refused() {
        assert!(canonical(r#"{"a":1,"a":2}"#).unwrap_err().contains("twice"));
        assert!(canonical(&"[".repeat(100_000)).is_err());
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(canonical(&deep).is_err());
    }
}
