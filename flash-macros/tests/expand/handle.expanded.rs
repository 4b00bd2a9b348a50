#[deprecated(note = "use `embed_all`")]
#[doc(hidden)]
#[cfg(feature = "embed")]
#[allow(non_snake_case)]
#[tracing::instrument(skip_all)]
pub async fn embed(inputText: String) -> Result<Vec<f32>, flash::Error> {
    vector(inputText)
}
#[deprecated(note = "use `embed_all`")]
#[doc(hidden)]
#[cfg(feature = "embed")]
/// Remote handle of [`embed()`](fn@embed).
#[allow(
    non_camel_case_types,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
#[non_exhaustive]
pub struct EmbedFn {}
#[cfg(feature = "embed")]
#[allow(deprecated)]
const _: () = {
    use ::flash::__private as __flash;
    const __RESOURCE: &__flash::Endpoint = &GPU;
    const _: () = __flash::check_queue(__RESOURCE);
    const __SLOTS: (__flash::Slot<String>,) = (
        __flash::slot("inputText", "String", &__flash::Json),
    );
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __flash::Remote for EmbedFn {
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
            .ident("EmbedFn")
            .params(&[__SLOTS.0.param()])
            .schemas(__flash::schemas!([String] Result < Vec < f32 >, flash::Error >));
        const RETURNS: &'static dyn __flash::Returns<Self::Return> = &__flash::Answer;
        type Door = __flash::Queue;
        type Args = (String,);
        type Return = Result<Vec<f32>, flash::Error>;
        fn decode(
            fields: &mut __flash::Fields<'_>,
        ) -> ::core::option::Option<Self::Args> {
            let __a0 = __SLOTS.0.take(fields);
            ::core::option::Option::Some((__a0?,))
        }
        fn encode(args: &Self::Args, fields: &mut __flash::FieldWriter) {
            let (__a0,) = args;
            __SLOTS.0.put(fields, __a0);
        }
        fn invoke(
            args: Self::Args,
            _: __flash::Scope,
            form: __flash::ReplyForm,
        ) -> __flash::Invocation {
            ::std::boxed::Box::pin(async move {
                let (__a0,) = args;
                __flash::Returns::encode(Self::RETURNS, embed(__a0).await, form)
            })
        }
    }
    impl EmbedFn {
        /// Calls [`embed()`](fn@embed) where it is deployed, or in this process.
        #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
        pub fn remote(inputText: String) -> __flash::Call<Self> {
            __flash::Call::new((inputText,))
        }
    }
    __flash::register!(EmbedFn);
};
