use std::any::TypeId;
use std::fmt;

use crate::ahead::{self, Ahead};
use crate::bytes::Bytes;
use crate::carry::Json;
use crate::class::ClassMeta;
use crate::encode::FieldWriter;
use crate::fields::{self, Fields};
use crate::meta::Param;
use crate::remote::Payload;

/// A value that was read before its parameter asked for it, and the bytes that it takes in its text.
pub(crate) type ReadAhead = (Ahead, usize);

/// Reads and writes parameters of type `T`.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be sent to or from a remote function",
    label = "cannot be sent",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it; to inject it, write `State<{T}>`"
)]
pub trait Carries<T>: Sync {
    /// Reads a field; what is wrong is recorded in `fields`.
    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<T>;
    /// Reads the JSON value at the beginning of a text, and says where it ends. `None` when that is no `T`.
    fn read_ahead(&self, json: &str) -> Option<ReadAhead>;
    /// Writes a field.
    fn write(&self, fields: &mut FieldWriter, name: &'static str, value: &T);
    /// Whether the field may be missing, as an `Option` may.
    fn may_be_missing(&self) -> bool;
    /// Whether the field may be raw bytes.
    fn is_bytes(&self) -> bool;
}

#[diagnostic::do_not_recommend]
impl<T: Payload> Carries<T> for Json {
    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<T> {
        fields::slot(fields, name)
    }

    fn read_ahead(&self, json: &str) -> Option<ReadAhead> {
        if TypeId::of::<T>() == TypeId::of::<String>()
            && let Some((text, length)) = ahead::text(json)
        {
            return Some((Box::new(text), length));
        }
        let mut values = serde_json::Deserializer::from_str(json).into_iter::<T>();
        let value = values.next()?.ok()?;
        Some((Box::new(value), values.byte_offset()))
    }

    fn write(&self, fields: &mut FieldWriter, name: &'static str, value: &T) {
        fields.put(name, value);
    }

    fn may_be_missing(&self) -> bool {
        fields::may_be_missing::<T>()
    }

    fn is_bytes(&self) -> bool {
        [TypeId::of::<Bytes>(), TypeId::of::<Option<Bytes>>()].contains(&TypeId::of::<T>())
    }
}

/// The place of one parameter: its name, and how its type is read and written.
pub struct Slot<T: 'static> {
    name: &'static str,
    type_text: &'static str,
    has_default: bool,
    is_body: bool,
    class: Option<&'static ClassMeta>,
    carrier: &'static dyn Carries<T>,
}

/// The slot of a parameter `name`, whose type is written as `type_text`.
#[must_use]
pub const fn slot<T>(
    name: &'static str,
    type_text: &'static str,
    carrier: &'static dyn Carries<T>,
) -> Slot<T> {
    Slot { name, type_text, has_default: false, is_body: false, class: None, carrier }
}

impl<T> Slot<T> {
    /// The parameter may be missing.
    #[must_use]
    pub const fn defaulted(self) -> Self {
        Self { has_default: true, ..self }
    }

    /// The parameter is the whole body: its fields are all that no other parameter takes, so it is read last.
    #[must_use]
    pub const fn body(self) -> Self {
        Self { is_body: true, ..self }
    }

    /// The parameter holds the constructor arguments of this class.
    pub(crate) const fn of_init(self, class: &'static ClassMeta) -> Self {
        Self { class: Some(class), ..self }
    }

    /// What the function's metadata says of the parameter.
    #[must_use]
    pub const fn param(&'static self) -> Param {
        let param = Param::new(self.name, self.type_text, self.has_default, self.is_body, self);
        match self.class {
            Some(class) => param.of_init(class),
            None => param,
        }
    }

    /// Reads the argument; what is wrong with it is recorded in `fields`.
    pub fn take(&self, fields: &mut Fields<'_>) -> Option<T> {
        if self.is_body {
            fields.gather(self.name, self.carrier.may_be_missing());
        }
        self.carrier.read(fields, self.name)
    }

    /// Reads the argument, or makes its default when the field is missing.
    pub fn take_or(&self, fields: &mut Fields<'_>, default: impl FnOnce() -> T) -> Option<T> {
        if fields.contains(self.name) { self.take(fields) } else { Some(default()) }
    }

    /// Writes the argument.
    pub fn put(&self, fields: &mut FieldWriter, value: &T) {
        if self.is_body {
            return fields.put_whole(self.name, |fields| self.carrier.write(fields, self.name, value));
        }
        self.carrier.write(fields, self.name, value);
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("name", &self.name)
            .field("type", &self.type_text)
            .finish_non_exhaustive()
    }
}

/// A slot without its type.
pub(crate) trait AnySlot: Sync {
    fn read_ahead(&self, json: &str) -> Option<ReadAhead>;
    fn may_be_missing(&self) -> bool;
    fn is_bytes(&self) -> bool;
}

impl<T> AnySlot for Slot<T> {
    fn read_ahead(&self, json: &str) -> Option<ReadAhead> {
        self.carrier.read_ahead(json)
    }

    fn may_be_missing(&self) -> bool {
        self.carrier.may_be_missing()
    }

    fn is_bytes(&self) -> bool {
        self.carrier.is_bytes()
    }
}

impl fmt::Debug for dyn AnySlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnySlot")
    }
}
