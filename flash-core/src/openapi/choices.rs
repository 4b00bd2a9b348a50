use serde_json::{Value, json};

/// Writes every choice between texts as one `enum`. schemars writes `oneOf` with a `const` for each documented variant, which
/// says the same, but generators of clients make a type for each of them, and some then read only the first.
pub(super) fn as_enums(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(as_enums),
        Value::Object(fields) => {
            fields.values_mut().for_each(as_enums);
            let Some(texts) = fields.get("oneOf").and_then(texts) else { return };
            let lines: Vec<String> = texts
                .iter()
                .filter_map(|(text, about)| about.as_ref().map(|about| format!("- `{text}`: {about}")))
                .collect();
            let own = fields.get("description").and_then(Value::as_str).map(ToOwned::to_owned);
            let description = own.into_iter().chain(lines).collect::<Vec<_>>().join("\n");
            let texts: Vec<String> = texts.into_iter().map(|(text, _)| text).collect();
            fields.remove("oneOf");
            fields.insert("type".to_owned(), json!("string"));
            fields.insert("enum".to_owned(), json!(texts));
            if !description.is_empty() {
                fields.insert("description".to_owned(), json!(description));
            }
        }
        _ => {}
    }
}

/// The texts of a choice that has nothing but texts, each with what is said about it. A part of it may be an enum already.
fn texts(choice: &Value) -> Option<Vec<(String, Option<String>)>> {
    let mut texts = Vec::new();
    for case in choice.as_array()? {
        let about = case.get("description").and_then(Value::as_str).map(ToOwned::to_owned);
        match (case.get("const"), case.get("enum")) {
            (Some(Value::String(text)), None) => texts.push((text.clone(), about)),
            (None, Some(Value::Array(several))) => {
                for text in several {
                    texts.push((text.as_str()?.to_owned(), None));
                }
            }
            _ => return None,
        }
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_choices_between_texts_change() {
        let mut schema = json!({ "items": {
            "description": "A choice.",
            "oneOf": [
                { "const": "a", "type": "string", "description": "The first." },
                { "enum": ["b", "c"], "type": "string" },
            ],
        } });
        as_enums(&mut schema);
        let expected = json!({ "items": {
            "description": "A choice.\n- `a`: The first.", "type": "string", "enum": ["a", "b", "c"],
        } });
        assert_eq!(schema, expected);
        let mut other =
            json!({ "oneOf": [{ "const": "a" }, { "type": "object" }], "anyOf": [{ "const": 1 }] });
        let before = other.clone();
        as_enums(&mut other);
        assert_eq!(other, before);
    }
}
