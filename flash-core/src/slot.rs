use std::fmt;

use crate::encode::FieldWriter;
use crate::fields::{self, Fields};
use crate::meta::Param;
use crate::remote::Payload;

/// The place of one parameter: its name, and how its type is read and written.
///
/// Only [`slot`] asks for `T: Payload`. The expansion makes each slot once and uses it everywhere else, so that a type
/// that cannot travel is one compile error, at the type.
pub struct Slot<T> {
    param: Param,
    read: fn(&mut Fields<'_>, &'static str) -> Option<T>,
    write: fn(&mut FieldWriter, &str, &T),
}

/// The slot of a parameter `name`, whose type is written as `type_text`.
#[must_use]
pub const fn slot<T: Payload>(name: &'static str, type_text: &'static str) -> Slot<T> {
    Slot { param: Param::of::<T>(name, type_text), read: fields::slot::<T>, write: FieldWriter::put::<T> }
}

impl<T> Slot<T> {
    /// The parameter may be missing.
    #[must_use]
    pub const fn defaulted(self) -> Self {
        Self { param: self.param.defaulted(), ..self }
    }

    /// What the function's metadata says of the parameter.
    #[must_use]
    pub const fn param(&self) -> Param {
        self.param
    }

    /// Reads the argument; what is wrong with it is recorded in `fields`.
    pub fn take(&self, fields: &mut Fields<'_>) -> Option<T> {
        (self.read)(fields, self.param.name)
    }

    /// Reads the argument, or makes its default when the field is missing.
    pub fn take_or(&self, fields: &mut Fields<'_>, default: impl FnOnce() -> T) -> Option<T> {
        if fields.contains(self.param.name) { self.take(fields) } else { Some(default()) }
    }

    /// Writes the argument.
    pub fn put(&self, fields: &mut FieldWriter, value: &T) {
        (self.write)(fields, self.param.name, value);
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.param).finish()
    }
}
