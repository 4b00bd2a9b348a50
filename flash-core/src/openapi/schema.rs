use serde_json::{Map, Value, json};

use crate::meta::{Meta, Param};

/// How to make the schema of a type. There is none without the feature `openapi`.
#[cfg(not(feature = "openapi"))]
#[derive(Debug, Clone, Copy)]
pub enum SchemaOf {}

/// How to make the schema of a type.
#[cfg(feature = "openapi")]
#[derive(Debug, Clone, Copy)]
pub struct SchemaOf(fn(&mut schemars::SchemaGenerator) -> schemars::Schema);

/// The schema of a parameter's type, where it has one: `SchemaFor::<T>::OF` is this constant for a `T` with `JsonSchema`,
/// and that of [`NoSchema`] for any other.
#[cfg(feature = "openapi")]
#[derive(Debug)]
pub struct SchemaFor<T>(std::marker::PhantomData<fn() -> T>);

/// As [`SchemaFor`], of the success in a `Result`.
#[cfg(feature = "openapi")]
#[derive(Debug)]
pub struct ReplyFor<R>(std::marker::PhantomData<fn() -> R>);

#[cfg(feature = "openapi")]
impl<T: schemars::JsonSchema> SchemaFor<T> {
    /// The schema.
    pub const OF: Option<SchemaOf> = Some(SchemaOf(schemars::SchemaGenerator::subschema_for::<T>));
}

#[cfg(feature = "openapi")]
impl<T: schemars::JsonSchema, E> ReplyFor<Result<T, E>> {
    /// The schema.
    pub const OF: Option<SchemaOf> = Some(SchemaOf(schemars::SchemaGenerator::subschema_for::<T>));
}

/// What is left where a type has no schema.
#[cfg(feature = "openapi")]
pub trait NoSchema {
    /// No schema.
    const OF: Option<SchemaOf> = None;
}

#[cfg(feature = "openapi")]
impl<T> NoSchema for SchemaFor<T> {}

#[cfg(feature = "openapi")]
impl<R> NoSchema for ReplyFor<R> {}

/// Collects the schemas of the types that a document names.
#[derive(Debug)]
pub struct Schemas {
    #[cfg(feature = "openapi")]
    generator: schemars::SchemaGenerator,
}

impl Schemas {
    #[cfg(feature = "openapi")]
    pub(super) fn new() -> Self {
        let settings = schemars::generate::SchemaSettings::draft2020_12()
            .with(|settings| settings.definitions_path = "/components/schemas".into());
        Self { generator: settings.into_generator() }
    }

    #[cfg(not(feature = "openapi"))]
    pub(super) fn new() -> Self {
        Self {}
    }

    #[cfg(feature = "openapi")]
    pub(super) fn into_definitions(mut self) -> Map<String, Value> {
        self.generator.take_definitions(true)
    }

    #[cfg(not(feature = "openapi"))]
    pub(super) fn into_definitions(self) -> Map<String, Value> {
        Map::new()
    }

    #[cfg(feature = "openapi")]
    pub(crate) fn of(&mut self, schema: SchemaOf) -> Value {
        (schema.0)(&mut self.generator).to_value()
    }

    #[cfg(not(feature = "openapi"))]
    #[allow(clippy::unused_self, reason = "the other variant uses it")]
    pub(crate) fn of(&mut self, schema: SchemaOf) -> Value {
        match schema {}
    }

    /// The schema of a parameter.
    pub(super) fn param(&mut self, param: &Param, schema: Option<SchemaOf>) -> Value {
        match schema {
            Some(schema) => self.of(schema),
            None => of_text(param.type_text),
        }
    }

    /// The schema of what the function gives, of a stream that of its items; any value where it has none.
    pub(super) fn reply(&mut self, meta: &Meta) -> Value {
        meta.reply_schema().map_or_else(|| json!({}), |schema| self.of(schema))
    }

    /// The object with these parameters as fields, and, of several functions, the key that selects this one.
    pub(super) fn object(&mut self, params: &[(Param, Option<SchemaOf>)], method: Option<&str>) -> Value {
        let mut properties = Map::new();
        let mut required: Vec<&str> = Vec::new();
        let mut whole = None;
        if let Some(name) = method {
            properties.insert("method".to_owned(), json!({ "const": name }));
            required.push("method");
        }
        for (param, schema) in params {
            let schema = match param.init {
                Some(class) => self.object(&class.params_with_schemas(), None),
                None => self.param(param, *schema),
            };
            if param.is_body {
                whole = Some(schema);
                continue;
            }
            properties.insert(param.name.to_owned(), schema);
            if param.is_required() {
                required.push(param.name);
            }
        }
        let Some(whole) = whole else {
            return json!({
                "type": "object", "properties": properties, "required": required, "additionalProperties": false,
            });
        };
        if properties.is_empty() {
            return whole;
        }
        json!({ "allOf": [{ "type": "object", "properties": properties, "required": required }, whole] })
    }
}

/// The schema of a type, as far as its text tells; any value for what it does not.
pub(super) fn of_text(type_text: &str) -> Value {
    let text = type_text.replace(' ', "");
    if let Some(inner) = generic(&text, "Option") {
        return json!({ "anyOf": [of_text(inner), { "type": "null" }] });
    }
    if let Some(inner) = generic(&text, "Vec") {
        return json!({ "type": "array", "items": of_text(inner) });
    }
    match text.rsplit("::").next().unwrap_or_default() {
        "String" => json!({ "type": "string" }),
        "Bytes" => json!({ "type": "string", "contentEncoding": "base64" }),
        "bool" => json!({ "type": "boolean" }),
        "f32" | "f64" => json!({ "type": "number" }),
        "u8" | "u16" | "u32" | "u64" | "usize" => json!({ "type": "integer", "minimum": 0 }),
        "i8" | "i16" | "i32" | "i64" | "isize" => json!({ "type": "integer" }),
        _ => json!({}),
    }
}

fn generic<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.strip_prefix('<')?.strip_suffix('>')
}

/// Types of this crate, as they travel in JSON.
#[cfg(feature = "openapi")]
mod own {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use crate::bytes::Bytes;
    use crate::response::Response;
    use crate::stream::Stream;

    impl JsonSchema for Bytes {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            "Bytes".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "string", "contentEncoding": "base64" })
        }
    }

    /// That of its items: which form a stream has is the door's matter.
    impl<T: JsonSchema, E> JsonSchema for Stream<T, E> {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            T::schema_name()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            generator.subschema_for::<T>()
        }
    }

    impl<T: JsonSchema> JsonSchema for Response<T> {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            T::schema_name()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            generator.subschema_for::<T>()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::of_text;

    #[test]
    fn the_text_of_a_type_tells_what_it_can() {
        for (text, schema) in [
            ("String", json!({ "type": "string" })),
            ("std :: string :: String", json!({ "type": "string" })),
            ("u8", json!({ "type": "integer", "minimum": 0 })),
            (
                "Option < Vec < f64 > >",
                json!({ "anyOf": [
                { "type": "array", "items": { "type": "number" } }, { "type": "null" },
            ] }),
            ),
            ("Bytes", json!({ "type": "string", "contentEncoding": "base64" })),
            ("HashMap < String, Person >", json!({})),
        ] {
            assert_eq!(of_text(text), schema, "{text}");
        }
    }
}
