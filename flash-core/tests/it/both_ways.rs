//! The two ways to read arguments: in one pass, and each on its own. The fuzz target `fields` has this file too.

use std::marker::PhantomData;

use flash_core::private::{Json, Slot, slot};
use flash_core::{FieldWriter, Fields, Origin, Param, Payload, WireError};

/// More than any output of what is read here.
const LIMIT: usize = 1 << 24;

/// The arguments, written again, and all that is wrong or left over.
pub(crate) type Found = (Option<Vec<u8>>, Option<String>, String);

/// A function with a parameter `x` of this type and a text beside it, which is read in a way of its own.
struct Function<T>(PhantomData<T>);

impl<T: Payload> Function<T> {
    const X: &'static Slot<T> = &slot("x", "T", &Json);
    const Y: &'static Slot<String> = &slot("y", "String", &Json);
    const PARAMS: &'static [Param] = &[Self::X.param(), Self::Y.param()];

    fn read(fields: Result<Fields<'_>, WireError>) -> Result<Found, WireError> {
        let mut fields = fields?;
        let (x, y) = (Self::X.take(&mut fields), Self::Y.take(&mut fields));
        let x = x.map(|x| {
            let mut writer = FieldWriter::new(LIMIT);
            Self::X.put(&mut writer, &x);
            writer.finish().expect("what was decoded can be encoded")
        });
        Ok((x, y, format!("{fields:?}")))
    }
}

/// What each of them finds in a request.
pub(crate) fn both_ways<T: Payload>(json: &[u8]) -> [Result<Found, WireError>; 2] {
    let mut ahead = Fields::empty(Origin::Input);
    let ahead = ahead.add_arguments(json, Function::<T>::PARAMS).map(|()| ahead);
    [ahead, Fields::from_json(Origin::Input, json)].map(Function::<T>::read)
}
