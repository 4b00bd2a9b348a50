use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Error;
use serde_json::ser::Formatter;

use super::escape;
use super::sink::Sink;

/// The names under which serde_json passes on text that is JSON already: `RawValue`, and numbers of any precision.
const PRIVATE: &str = "$serde_json::private::";

/// Writes JSON exactly as serde_json does, whose own writer it uses for numbers, for names in maps and for what only
/// serde_json knows. Text and structure are written here, because that is most of a large answer.
pub(super) struct Writer<'s>(&'s mut Sink);

/// A list, an object, or what is in a variant.
pub(super) struct Items<'s> {
    sink: &'s mut Sink,
    is_first: bool,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    List,
    Object,
    ListInVariant,
    ObjectInVariant,
    /// A struct of serde_json's own, by its name.
    Private(&'static str),
}

impl<'s> Writer<'s> {
    pub(super) fn new(sink: &'s mut Sink) -> Self {
        Self(sink)
    }

    fn text(self, text: &'static [u8]) -> Result<(), Error> {
        self.0.push(text);
        Ok(())
    }

    fn begin(self, text: &'static [u8], kind: Kind) -> Result<Items<'s>, Error> {
        self.0.push(text);
        Ok(Items { sink: self.0, is_first: true, kind })
    }

    fn variant(&mut self, variant: &'static str) {
        self.0.push(b"{");
        escape::push(self.0, variant);
        self.0.push(b":");
    }
}

macro_rules! by_serde_json {
    ($($name:ident: $type:ty),*) => {
        $(fn $name(self, value: $type) -> Result<(), Error> {
            serde_json::Serializer::new(self.0).$name(value)
        })*
    };
}

impl<'s> Serializer for Writer<'s> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'s>;
    type SerializeTuple = Items<'s>;
    type SerializeTupleStruct = Items<'s>;
    type SerializeTupleVariant = Items<'s>;
    type SerializeMap = Items<'s>;
    type SerializeStruct = Items<'s>;
    type SerializeStructVariant = Items<'s>;

    by_serde_json! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_f32: f32, serialize_f64: f64, serialize_bytes: &[u8]
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.text(if value { b"true" } else { b"false" })
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        escape::push(self.0, value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.text(b"null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.text(b"null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.text(b"null")
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant);
        value.serialize(Writer(self.0))?;
        self.text(b"}")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'s>, Error> {
        self.begin(b"[", Kind::List)
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'s>, Error> {
        self.begin(b"[", Kind::List)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'s>, Error> {
        self.begin(b"[", Kind::List)
    }

    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'s>, Error> {
        self.variant(variant);
        self.begin(b"[", Kind::ListInVariant)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Items<'s>, Error> {
        self.begin(b"{", Kind::Object)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Items<'s>, Error> {
        if name.starts_with(PRIVATE) {
            return self.begin(b"", Kind::Private(name));
        }
        self.begin(b"{", Kind::Object)
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'s>, Error> {
        self.variant(variant);
        self.begin(b"{", Kind::ObjectInVariant)
    }
}

impl Items<'_> {
    fn comma(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.sink.push(b",");
        }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.comma();
        value.serialize(Writer(self.sink))
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        if let Kind::Private(kind) = self.kind {
            let mut serializer = serde_json::Serializer::new(&mut *self.sink);
            return SerializeStruct::serialize_field(&mut serializer.serialize_struct(kind, 1)?, name, value);
        }
        self.comma();
        escape::push(self.sink, name);
        self.sink.push(b":");
        value.serialize(Writer(self.sink))
    }

    fn close(self) -> Result<(), Error> {
        self.sink.push(match self.kind {
            Kind::List => b"]",
            Kind::Object => b"}",
            Kind::ListInVariant => b"]}",
            Kind::ObjectInVariant => b"}}",
            Kind::Private(_) => b"",
        });
        Ok(())
    }
}

/// What serde calls by six names is an item or a field.
macro_rules! items {
    ($($kind:ident: $method:ident($($name:ident: $type:ty)?) => $way:ident),* $(,)?) => {
        $(impl $kind for Items<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, $($name: $type,)? value: &T) -> Result<(), Error> {
                self.$way($($name,)? value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        })*
    };
}

items! {
    SerializeSeq: serialize_element() => item,
    SerializeTuple: serialize_element() => item,
    SerializeTupleStruct: serialize_field() => item,
    SerializeTupleVariant: serialize_field() => item,
    SerializeStruct: serialize_field(name: &'static str) => field,
    SerializeStructVariant: serialize_field(name: &'static str) => field,
}

impl SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.comma();
        // What may be a name, and how it is quoted, is serde_json's to say.
        let mut serializer = serde_json::Serializer::with_formatter(&mut *self.sink, NameOnly);
        serializer.serialize_map(None)?.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.sink.push(b":");
        value.serialize(Writer(self.sink))
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

/// Leaves out what stands around a name.
struct NameOnly;

impl Formatter for NameOnly {
    fn begin_object<W: std::io::Write + ?Sized>(&mut self, _: &mut W) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    use super::*;

    fn same<T: Serialize>(value: &T) {
        let mut sink = Sink::new(usize::MAX, 0);
        let ours = value.serialize(Writer::new(&mut sink)).map_err(|error| error.to_string());
        let ours = ours.map(|()| String::from_utf8(sink.finish().unwrap()).unwrap());
        let theirs = serde_json::to_string(value).map_err(|error| error.to_string());
        assert_eq!(ours, theirs);
    }

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Newtype(u8);

    #[derive(Serialize)]
    struct Pair(u8, &'static str);

    #[derive(Serialize)]
    enum Choice {
        Unit,
        Newtype(Option<u8>),
        Tuple(u8, char),
        Struct { a: u8, b: Vec<Choice> },
        Empty {},
    }

    #[derive(Serialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        One { a: u8 },
        Two(BTreeMap<u8, u8>),
    }

    #[derive(Serialize)]
    #[serde(untagged)]
    enum Untagged {
        Text(String),
        Number(f64),
    }

    #[derive(Serialize)]
    struct Struct<'a> {
        #[serde(rename = "a \"name\"\n")]
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out: Option<u8>,
        raw: &'a RawValue,
        nested: Box<[Value]>,
        #[serde(flatten)]
        flat: BTreeMap<String, Value>,
    }

    #[test]
    fn every_kind_of_value_is_written_as_serde_json_writes_it() {
        same(&(true, false, 'x', '"', '\u{1}', (), Unit, Newtype(1), Pair(2, "b")));
        same(&(i8::MIN, i16::MIN, i32::MIN, i64::MIN, u8::MAX, u16::MAX, u32::MAX, u64::MAX));
        same(&(i128::MIN, u128::MAX, 0.1_f32, 1e300, 1.0, -0.0, f64::MIN_POSITIVE));
        same(&(f64::NAN, f64::INFINITY, f32::NEG_INFINITY, Some(1), None::<u8>));
        same(&[Choice::Unit, Choice::Newtype(None), Choice::Newtype(Some(1)), Choice::Tuple(1, 'ä')]);
        same(&Choice::Struct { a: 1, b: vec![Choice::Empty {}, Choice::Unit] });
        same(&(Tagged::One { a: 1 }, Tagged::Two(BTreeMap::from([(1, 2), (3, 4)]))));
        same(&[Untagged::Text("a".repeat(100)), Untagged::Number(0.3)]);
        same(&(Vec::<u8>::new(), BTreeMap::<String, u8>::new(), serde_json::Map::new()));
        same(&json!({"a": [1, -1, 1.5, null, true, "x\u{7f}\\"], "": {}, "n": {"m": []}}));
        same(&std::net::Ipv4Addr::LOCALHOST);
        same(&std::time::Duration::from_millis(1500));
    }

    #[test]
    fn what_only_serde_json_knows_is_its_own() {
        let raw = RawValue::from_string(r#"{"as": [ 1.0 , "it" ],"stands":  0e1}"#.to_owned()).unwrap();
        same(&raw);
        same(&[Some(&raw), None]);
        let flat = BTreeMap::from([("x".to_owned(), json!(1)), ("y".to_owned(), json!("2"))]);
        same(&Struct { name: "b", left_out: None, raw: &raw, nested: Box::new([json!([])]), flat });
    }

    #[test]
    fn names_in_maps_are_what_serde_json_takes_for_names() {
        same(&BTreeMap::from([(1_i64, 'a'), (-2, 'b')]));
        same(&BTreeMap::from([(true, 1)]));
        same(&BTreeMap::from([('"', 1), ('b', 2)]));
        same(&BTreeMap::from([("a\nb", BTreeMap::from([("c", 1), ("d", 2)])), ("e", BTreeMap::new())]));
        // And what it does not take is the same error.
        same(&BTreeMap::from([((1, 2), 3)]));
        same(&BTreeMap::from([(None::<u8>, 3)]));
        same(&BTreeMap::from([(vec![1], 3)]));
    }
}
