pub async fn generic<T: Send>(value: T) -> Result<T, flash::Error> {
    Ok(value)
}
/// Remote handle of [`generic()`](fn@generic).
#[allow(
    non_camel_case_types,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
#[non_exhaustive]
pub struct generic {}
#[allow(deprecated)]
const _: () = {
    use ::flash::__private as __flash;
};
::core::compile_error! {
    "remote function `generic` must not have generics\nhelp: call a generic helper from a concrete remote function"
}
::core::compile_error! {
    "missing `resource`: a remote function belongs to an endpoint\nhelp: name the endpoint's static, as in `#[remote(resource = GPU)]`"
}
