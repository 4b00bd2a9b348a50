//! Reading and writing objects whose unknown keys must survive or whose values may be of the wrong type.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a key that is there as `Some`, also when its value is `null`.
pub(super) fn present<'de, D, R>(deserializer: D) -> Result<Option<R>, D::Error>
where
    D: Deserializer<'de>,
    R: Deserialize<'de>,
{
    R::deserialize(deserializer).map(Some)
}

/// A key of an object, borrowed when it has no escapes.
pub(super) struct Key<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// What stands where a text belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextOrNot {
    Text(String),
    Null,
    Other,
}

impl<'de> Deserialize<'de> for TextOrNot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyVisitor;
        impl<'de> Visitor<'de> for AnyVisitor {
            type Value = TextOrNot;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_str<E>(self, text: &str) -> Result<TextOrNot, E> {
                Ok(TextOrNot::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<TextOrNot, E> {
                Ok(TextOrNot::Text(text))
            }

            fn visit_unit<E>(self) -> Result<TextOrNot, E> {
                Ok(TextOrNot::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<TextOrNot, E> {
                Ok(TextOrNot::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<TextOrNot, E> {
                Ok(TextOrNot::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<TextOrNot, E> {
                Ok(TextOrNot::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<TextOrNot, E> {
                Ok(TextOrNot::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<TextOrNot, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(TextOrNot::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<TextOrNot, A::Error> {
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(TextOrNot::Other)
            }
        }
        deserializer.deserialize_any(AnyVisitor)
    }
}
