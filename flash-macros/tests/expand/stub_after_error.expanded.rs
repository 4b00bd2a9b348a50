pub async fn broken(
    text: &str,
    (a, b): (u8, u8),
    count: usize,
    model: State<Model>,
) -> Result<u32, flash::Error> {
    Ok(count)
}
/// Remote handle of [`broken()`](fn@broken).
#[allow(
    non_camel_case_types,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
#[non_exhaustive]
pub struct broken {}
#[allow(deprecated)]
const _: () = {
    use ::flash::__private as __flash;
    const _: &__flash::Endpoint = &GPU;
    #[automatically_derived]
    impl __flash::Remote for broken {
        const META: &'static __flash::Meta = ::core::panic!();
        type Door = __flash::Queue;
        type Args = ();
        type Return = Result<u32, flash::Error>;
        const RETURNS: &'static dyn __flash::Returns<Self::Return> = ::core::panic!();
        fn decode(_: &mut __flash::Fields<'_>) -> ::core::option::Option<Self::Args> {
            ::core::panic!()
        }
        fn encode(_: &Self::Args, _: &mut __flash::FieldWriter) {}
        fn invoke(
            _: Self::Args,
            _: __flash::Scope,
            _: __flash::ReplyForm,
        ) -> __flash::Invocation {
            ::core::panic!()
        }
    }
    impl broken {
        /// Calls [`broken()`](fn@broken) where it is deployed, or in this process.
        #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
        pub fn remote(
            text: impl ::core::marker::Sized,
            __p1: impl ::core::marker::Sized,
            count: usize,
        ) -> __flash::Call<Self> {
            {
                let _ = (&text, &__p1, &count);
                ::core::panic!()
            }
        }
    }
};
::core::compile_error! {
    "unknown argument `timout`\nhelp: supported are `resource`, `method`, `path`, `name`, `handle`, `status`, `calls`, `inline`, `crate`"
}
::core::compile_error! {
    "parameter `text` must be owned: it is deserialized from the request\nhelp: use `String` instead of `&str`"
}
::core::compile_error! {
    "remote parameters are sent by name, so a pattern is not allowed here\nhelp: bind a name and destructure in the body"
}
