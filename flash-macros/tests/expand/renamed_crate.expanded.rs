pub async fn embed(text: String, top: usize) -> Result<u32, Error> {
    Ok(top)
}
/// Remote handle of [`embed()`](fn@embed).
#[allow(
    non_camel_case_types,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
#[non_exhaustive]
pub struct embed {}
#[allow(deprecated)]
const _: () = {
    use ::renamed::sdk::__private as __flash;
    const __RESOURCE: &__flash::Endpoint = &GPU;
    const _: () = __flash::check_queue(__RESOURCE);
    const __SLOTS: (__flash::Slot<String>, __flash::Slot<usize>) = (
        __flash::slot("text", "String", &__flash::Json),
        __flash::slot("top", "usize", &__flash::Json).defaulted(),
    );
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __flash::Remote for embed {
        const META: &'static __flash::Meta = &__flash::Meta::new(
                "embed",
                __RESOURCE,
                "GPU",
            )
            .at(
                ::core::module_path!(),
                ::core::file!(),
                ::core::line!(),
                ::core::column!(),
            )
            .is_async(true)
            .returns(&__flash::Returned(Self::RETURNS))
            .params(&[__SLOTS.0.param(), __SLOTS.1.param()])
            .schemas(__flash::schemas!([String, usize] Result < u32, Error >));
        const RETURNS: &'static dyn __flash::Returns<Self::Return> = &__flash::Answer;
        type Door = __flash::Queue;
        type Args = (String, usize);
        type Return = Result<u32, Error>;
        fn decode(
            fields: &mut __flash::Fields<'_>,
        ) -> ::core::option::Option<Self::Args> {
            let __a0 = __SLOTS.0.take(fields);
            let __a1 = __SLOTS
                .1
                .take_or(fields, <usize as ::core::default::Default>::default);
            ::core::option::Option::Some((__a0?, __a1?))
        }
        fn encode(args: &Self::Args, fields: &mut __flash::FieldWriter) {
            let (__a0, __a1) = args;
            __SLOTS.0.put(fields, __a0);
            __SLOTS.1.put(fields, __a1);
        }
        fn invoke(
            args: Self::Args,
            _: __flash::Scope,
            form: __flash::ReplyForm,
        ) -> __flash::Invocation {
            ::std::boxed::Box::pin(async move {
                let (__a0, __a1) = args;
                __flash::Returns::encode(Self::RETURNS, embed(__a0, __a1).await, form)
            })
        }
    }
    impl embed {
        /// Calls [`embed()`](fn@embed) where it is deployed, or in this process.
        #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
        pub fn remote(text: String, top: usize) -> __flash::Call<Self> {
            __flash::Call::new((text, top))
        }
    }
    __flash::register!(embed);
};
