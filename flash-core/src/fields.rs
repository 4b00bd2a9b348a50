use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

use crate::ahead::{self, Ahead};
use crate::bytes::Bytes;
use crate::error::{FieldError, WireError, code};
use crate::meta::Param;

/// More fields than any function has parameters; bounds the memory of a hostile object.
const MAX_FIELDS: usize = 1024;

/// The fields of a request, before they are anything's arguments.
///
/// Values stay JSON text until a parameter asks for one, so no tree of the whole body is ever built. What is wrong is
/// collected, so that one answer names every bad field.
#[derive(Debug)]
pub struct Fields<'a> {
    entries: Vec<Entry<'a>>,
    /// Where a missing field is looked for: `input` or `body`.
    origin: Origin,
    errors: Vec<FieldError>,
}

#[derive(Debug)]
struct Entry<'a> {
    name: Cow<'a, str>,
    value: Value<'a>,
    origin: Origin,
}

#[derive(Debug)]
enum Value<'a> {
    /// JSON text of a body.
    Json(&'a str),
    /// Text of a path or a query, one for each time the name occurred.
    Text(Vec<Cow<'a, str>>),
    /// A body, or a file in it, that is not JSON.
    Raw(Box<Bytes>),
    /// JSON text of all fields that no other parameter took.
    Whole(String),
    /// Read already, for the parameter of this name.
    Ahead(Ahead),
}

/// Where a field came from; names it in errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The `input` of a job.
    Input,
    /// The body of an HTTP request.
    Body,
    /// The query of an HTTP request.
    Query,
    /// The path of an HTTP request.
    Path,
    /// The constructor arguments in a job's input.
    Init,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "input",
            Self::Body => "body",
            Self::Query => "query",
            Self::Path => "path",
            Self::Init => "input.init",
        })
    }
}

impl<'a> Fields<'a> {
    /// No fields yet; `origin` is where missing ones would have been.
    #[must_use]
    pub fn empty(origin: Origin) -> Self {
        Self { entries: Vec::new(), origin, errors: Vec::new() }
    }

    /// The fields of a JSON object.
    ///
    /// # Errors
    /// `invalid_json` for text that is not JSON (with the position), `invalid_input` for JSON that is no object.
    pub fn from_json(origin: Origin, json: &'a [u8]) -> Result<Self, WireError> {
        let mut fields = Self::empty(origin);
        fields.add_json(json)?;
        Ok(fields)
    }

    /// Adds the fields of a JSON object.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn add_json(&mut self, json: &'a [u8]) -> Result<(), WireError> {
        let origin = self.origin;
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let result = Object { origin, entries: &mut self.entries, errors: &mut self.errors }
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end());
        match result {
            Ok(()) => Ok(()),
            Err(error) if error.is_data() => {
                let error = FieldError::from_serde(origin.to_string(), &error.to_string());
                Err(WireError::invalid_input(&[error]))
            }
            Err(error) => Err(WireError::new(code::INVALID_JSON, format!("{origin} is not JSON: {error}"))
                .with_status(400)
                .terminal()),
        }
    }

    /// Adds the fields of a JSON object that `params` will take. As [`add_json`](Self::add_json), and faster where nothing
    /// is wrong: each value is read once, as what it is to become.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn add_arguments(&mut self, json: &'a [u8], params: &'static [Param]) -> Result<(), WireError> {
        let before = self.entries.len();
        let put = |name, value| {
            let is_new = !self.contains(name);
            let value = Value::Ahead(value);
            self.entries.push(Entry { name: Cow::Borrowed(name), value, origin: self.origin });
            is_new
        };
        let read = std::str::from_utf8(json).ok().and_then(|text| {
            // A user's type may panic as it is read. It will do so again where a panic has its place.
            catch_unwind(AssertUnwindSafe(|| ahead::read(text, params, put))).ok().flatten()
        });
        if read.is_none() {
            self.entries.truncate(before);
            return self.add_json(json);
        }
        Ok(())
    }

    /// Says where a field that is missing should have been.
    pub fn expect_in(&mut self, origin: Origin) {
        self.origin = origin;
    }

    /// Adds text from a path or a query. A name that occurs again becomes a list.
    pub fn add_text(&mut self, origin: Origin, name: Cow<'a, str>, text: Cow<'a, str>) {
        if let Some(entry) =
            self.entries.iter_mut().find(|entry| entry.name == name && entry.origin == origin)
            && let Value::Text(texts) = &mut entry.value
        {
            texts.push(text);
            return;
        }
        if self.entries.len() < MAX_FIELDS {
            self.entries.push(Entry { name, value: Value::Text(vec![text]), origin });
        }
    }

    /// Takes a field away as JSON text, for keys that a door reads itself (`method`, `__flash`).
    pub fn remove(&mut self, name: &str) -> Option<&'a str> {
        match self.take(name)?.value {
            Value::Json(json) => Some(json),
            _ => None,
        }
    }

    /// Adds a field that is no JSON but bytes: a raw body for the parameter that takes it, or a file of a form. A parameter
    /// that is no [`Bytes`] reads it as the base64 text that it would be in JSON.
    pub fn put_bytes(&mut self, name: Cow<'a, str>, bytes: Bytes) {
        if self.contains(&name) {
            self.errors.push(FieldError {
                path: format!("{}.{name}", self.origin),
                message: "the field occurs twice".to_owned(),
            });
        } else if self.entries.len() < MAX_FIELDS {
            self.entries.push(Entry { name, value: Value::Raw(Box::new(bytes)), origin: self.origin });
        }
    }

    /// Makes one field `name` of all JSON fields that are left; none of none, where it may be missing.
    pub(crate) fn gather(&mut self, name: &'static str, may_be_missing: bool) {
        let mut json = String::from("{");
        self.entries.retain(|entry| {
            let Value::Json(value) = entry.value else { return true };
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(&serde_json::Value::from(&*entry.name).to_string());
            json.push(':');
            json.push_str(value);
            false
        });
        if json.len() == 1 && may_be_missing {
            return;
        }
        json.push('}');
        // First, so that text of this name from a query is not taken for it.
        let entry = Entry { name: Cow::Borrowed(name), value: Value::Whole(json), origin: self.origin };
        self.entries.insert(0, entry);
    }

    /// Whether a field of this name is there.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// Whether nothing is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The fields that came as JSON, each with its text.
    pub fn json_entries(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.entries.iter().filter_map(|entry| match entry.value {
            Value::Json(json) => Some((&*entry.name, json)),
            _ => None,
        })
    }

    fn take(&mut self, name: &str) -> Option<Entry<'a>> {
        let index = self.entries.iter().position(|entry| entry.name == name)?;
        Some(self.entries.swap_remove(index))
    }

    /// Reports what was found wrong inside of a field.
    #[cold]
    pub(crate) fn refuse(&mut self, error: WireError) {
        let errors = error.field_errors();
        if errors.is_empty() {
            self.errors.push(FieldError { path: self.origin.to_string(), message: error.message });
        }
        self.errors.extend(errors);
    }

    #[cold]
    fn missing(&mut self, name: &str) {
        self.errors.push(FieldError {
            path: format!("{}.{name}", self.origin),
            message: "missing field".to_owned(),
        });
    }

    /// Reports what is wrong, fields that no parameter took included.
    ///
    /// # Errors
    /// `invalid_input` with every field that is wrong.
    pub(crate) fn finish(mut self, params: &[Param]) -> Result<(), WireError> {
        for entry in &self.entries {
            self.errors.push(FieldError {
                path: format!("{}.{}", entry.origin, entry.name),
                message: unknown_field(&entry.name, params),
            });
        }
        if self.errors.is_empty() { Ok(()) } else { Err(WireError::invalid_input(&self.errors)) }
    }
}

/// Reads the parameter `name`. A missing field is an error, unless `T` is an `Option`.
pub(crate) fn slot<T: DeserializeOwned + 'static>(fields: &mut Fields<'_>, name: &'static str) -> Option<T> {
    let Some(entry) = fields.take(name) else {
        let absent = T::deserialize(Absent).ok();
        if absent.is_none() {
            fields.missing(name);
        }
        return absent;
    };
    read(fields, entry)
}

/// Whether serde accepts that a field of type `T` is missing, as it does for `Option`. A type that panics when it is read does
/// not; it is its calls that fail then, and not the description of the app.
pub(crate) fn may_be_missing<T: DeserializeOwned>() -> bool {
    catch_unwind(|| T::deserialize(Absent).is_ok()).unwrap_or(false)
}

fn read<T: DeserializeOwned + 'static>(fields: &mut Fields<'_>, entry: Entry<'_>) -> Option<T> {
    // The fields of a body that is one parameter have no name around them.
    let is_whole = matches!(entry.value, Value::Whole(_));
    let (result, json) = match entry.value {
        Value::Raw(bytes) => match cast(*bytes) {
            Ok(value) => return Some(value),
            Err(bytes) => {
                let json = serde_json::to_string(&bytes).unwrap_or_default();
                (serde_json::from_str(&json), Cow::Owned(json))
            }
        },
        Value::Whole(json) => (serde_json::from_str(&json), Cow::Owned(json)),
        Value::Ahead(value) => match value.downcast() {
            Ok(value) => return Some(*value),
            // Names are unique among the parameters of a function.
            Err(_) => {
                fields.missing(&entry.name);
                return None;
            }
        },
        Value::Json(json) => (serde_json::from_str(json), Cow::Borrowed(json)),
        Value::Text(texts) => {
            let (result, json) = read_text(&texts);
            (result, Cow::Owned(json))
        }
    };
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            let name = if is_whole { String::new() } else { format!(".{}", entry.name) };
            let path = format!("{}{name}{}", entry.origin, inner_path::<T>(&json));
            fields.errors.push(FieldError::from_serde(path, &error.to_string()));
            None
        }
    }
}

/// The bytes as a `T`, where that is [`Bytes`] or an `Option` of them.
fn cast<T: 'static>(bytes: Bytes) -> Result<T, Bytes> {
    let mut bytes = Some(bytes);
    let place: &mut dyn Any = &mut bytes;
    if let Some(value) = place.downcast_mut::<Option<T>>().and_then(Option::take) {
        return Ok(value);
    }
    let mut optional = Some(bytes);
    let place: &mut dyn Any = &mut optional;
    if let Some(value) = place.downcast_mut::<Option<T>>().and_then(Option::take) {
        return Ok(value);
    }
    Err(optional.flatten().unwrap_or_default())
}

/// The place inside of the field. Parsed once more, because keeping the path costs time that only a failure should pay.
#[cold]
fn inner_path<T: DeserializeOwned>(json: &str) -> String {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let result: Result<T, _> = serde_path_to_error::deserialize(&mut deserializer);
    let path = result.err().map(|error| error.path().to_string()).unwrap_or_default();
    match path.as_str() {
        "." | "" => String::new(),
        path if path.starts_with('[') => path.to_owned(),
        path => format!(".{path}"),
    }
}

/// Reads text of a path, a query or a form: `?n=42` is text for a `String`, a number for a `u32` and a list of one for a
/// `Vec`, and `?filter={"a":1}` is an object for a struct. Only the type knows, so it is asked, and text comes first: nobody
/// gets a structure where text would do. What cannot be read is told of the most likely of these, with its JSON.
fn read_text<T: DeserializeOwned>(texts: &[Cow<'_, str>]) -> (Result<T, serde_json::Error>, String) {
    let (quoted, bare) = json_of(texts);
    let mut failure = match serde_json::from_str(&quoted) {
        Ok(value) => return (Ok(value), quoted),
        Err(error) => (error, quoted),
    };
    let is_one = texts.len() == 1;
    // Asked of the error, because a struct would take a list for its fields.
    let text = failure.0.to_string();
    let wants_list = is_one && ["a sequence", "a tuple", "an array"].iter().any(|kind| text.contains(kind));
    let in_list = |json: &String| wants_list.then(|| format!("[{json}]"));
    let candidates = [in_list(&failure.1), bare.clone(), bare.as_ref().and_then(in_list)];
    for json in candidates.into_iter().flatten() {
        match serde_json::from_str(&json) {
            Ok(value) => return (Ok(value), json),
            Err(error) => {
                let is_structure = is_one && bare.as_ref() == Some(&json) && json.starts_with(['{', '[']);
                let is_likely = if wants_list { json.starts_with('[') } else { !is_structure };
                if is_likely || text.contains("expected struct") {
                    failure = (error, json);
                }
            }
        }
    }
    (Err(failure.0), failure.1)
}

/// Texts as JSON: all as strings; and those that are JSON already, and no string, as that.
fn json_of(texts: &[Cow<'_, str>]) -> (String, Option<String>) {
    let quoted = |text: &Cow<'_, str>| serde_json::Value::from(&**text).to_string();
    let bare = |text: &Cow<'_, str>| {
        let is_json = !text.starts_with('"') && serde_json::from_str::<&RawValue>(text).is_ok();
        is_json.then(|| text.trim().to_owned())
    };
    if let [text] = texts {
        return (quoted(text), bare(text));
    }
    let list = |items: Vec<String>| format!("[{}]", items.join(","));
    let either = texts.iter().map(|text| bare(text).unwrap_or_else(|| quoted(text)));
    (list(texts.iter().map(quoted).collect()), Some(list(either.collect())))
}

#[cold]
fn unknown_field(name: &str, params: &[Param]) -> String {
    // The body has its own fields in place of one of its name.
    let params = || params.iter().filter(|param| !param.is_body);
    if params().next().is_none() {
        return "unknown field; the function has no parameters".to_owned();
    }
    let known = params().map(|param| format!("`{}`", param.name)).collect::<Vec<_>>().join(", ");
    format!("unknown field; known fields: {known}{}", did_you_mean(name, params().map(|param| param.name)))
}

/// `; did you mean `x`?` where a known name is close, else nothing.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|known| (distance(name, known), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min()
        .map(|(_, known)| format!("; did you mean `{known}`?"))
        .unwrap_or_default()
}

/// Levenshtein distance over bytes: names are short and nearly always ASCII.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

/// Reads an object into entries, without touching its values.
struct Object<'v, 'a> {
    origin: Origin,
    entries: &'v mut Vec<Entry<'a>>,
    errors: &'v mut Vec<FieldError>,
}

impl<'a> Object<'_, 'a> {
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Object<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the function's parameters as fields")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            let value: &'a RawValue = map.next_value()?;
            if self.entries.len() >= MAX_FIELDS {
                return Err(de::Error::custom(format_args!("more than {MAX_FIELDS} fields")));
            }
            if self.entries.iter().any(|entry| entry.name == name && entry.origin == self.origin) {
                self.errors.push(FieldError {
                    path: format!("{}.{name}", self.origin),
                    message: "the field occurs twice".to_owned(),
                });
                continue;
            }
            self.entries.push(Entry { name, value: Value::Json(value.get()), origin: self.origin });
        }
        Ok(())
    }
}

/// A key that borrows unless it has escapes; `Cow`'s own implementation always copies.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// What serde sees in place of a missing field: nothing but `Option` can be made of it.
struct Absent;

impl<'de> Deserializer<'de> for Absent {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("missing field"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_none()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
