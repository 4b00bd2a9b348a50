pub fn version() -> Result<String, Infallible> {
    Ok(String::from("1"))
}
/// Remote handle of [`version()`](fn@version).
#[allow(
    non_camel_case_types,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
#[non_exhaustive]
pub struct version {}
#[allow(deprecated)]
const _: () = {
    use ::flash::__private as __flash;
    const __RESOURCE: &__flash::Endpoint = &CPU;
    const _: () = __flash::check_queue(__RESOURCE);
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __flash::Remote for version {
        const META: &'static __flash::Meta = &__flash::Meta::new(
                "version",
                __RESOURCE,
                "CPU",
            )
            .at(
                ::core::module_path!(),
                ::core::file!(),
                ::core::line!(),
                ::core::column!(),
            )
            .is_async(false)
            .returns(&__flash::Returned(Self::RETURNS))
            .schemas(__flash::schemas!([] Result < String, Infallible >));
        const RETURNS: &'static dyn __flash::Returns<Self::Return> = &__flash::Answer;
        type Door = __flash::Queue;
        type Args = ();
        type Return = Result<String, Infallible>;
        fn decode(_: &mut __flash::Fields<'_>) -> ::core::option::Option<Self::Args> {
            ::core::option::Option::Some(())
        }
        fn encode(_: &Self::Args, _: &mut __flash::FieldWriter) {}
        fn invoke(
            args: Self::Args,
            _: __flash::Scope,
            form: __flash::ReplyForm,
        ) -> __flash::Invocation {
            ::std::boxed::Box::pin(async move {
                let () = args;
                __flash::Returns::encode(Self::RETURNS, version(), form)
            })
        }
    }
    impl version {
        /// Calls [`version()`](fn@version) where it is deployed, or in this process.
        #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
        pub fn remote() -> __flash::Call<Self> {
            __flash::Call::new(())
        }
    }
    __flash::register!(version);
};
