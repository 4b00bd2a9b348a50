//! The arguments of `#[remote(…)]`, on functions and on parameters, as written: what they mean is [`crate::validate`]'s.

mod arguments;
mod function;
mod param;

pub(crate) use arguments::is_helper;
pub(crate) use function::RemoteArgs;
pub(crate) use param::{DefaultValue, ParamArgs};
