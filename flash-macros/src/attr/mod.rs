//! The arguments of `#[remote(…)]`, on functions and on parameters, as written: what they mean is [`crate::validate`]'s.

mod arguments;
mod function;
mod param;

pub(crate) use arguments::{Keyed, is_helper, path, read as read_arguments, text, value};
pub(crate) use function::RemoteArgs;
pub(crate) use param::{DefaultValue, ParamArgs};
