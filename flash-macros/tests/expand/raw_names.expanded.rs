pub async fn r#match(
    r#type: String,
    r#in: Option<r#async::Kind>,
) -> Result<bool, flash::Error> {
    r#match::remote(r#type, r#in).await
}
/// Remote handle of [`match()`](fn@match).
#[allow(
    non_camel_case_types,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
#[non_exhaustive]
pub struct r#match {}
#[allow(deprecated)]
const _: () = {
    use ::flash::__private as __flash;
    const __RESOURCE: &__flash::Endpoint = &GPU;
    const _: () = __flash::check_queue(__RESOURCE);
    const __SLOTS: (__flash::Slot<String>, __flash::Slot<Option<r#async::Kind>>) = (
        __flash::slot("type", "String", &__flash::Json),
        __flash::slot("in", "Option<r#async::Kind>", &__flash::Json),
    );
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __flash::Remote for r#match {
        const META: &'static __flash::Meta = &__flash::Meta::new(
                "match",
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
            .schemas(
                __flash::schemas!(
                    [String, Option < r#async::Kind >] Result < bool, flash::Error >
                ),
            )
            .calls_seen(&["match"]);
        const RETURNS: &'static dyn __flash::Returns<Self::Return> = &__flash::Answer;
        type Door = __flash::Queue;
        type Args = (String, Option<r#async::Kind>);
        type Return = Result<bool, flash::Error>;
        fn decode(
            fields: &mut __flash::Fields<'_>,
        ) -> ::core::option::Option<Self::Args> {
            let __a0 = __SLOTS.0.take(fields);
            let __a1 = __SLOTS.1.take(fields);
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
                __flash::Returns::encode(Self::RETURNS, r#match(__a0, __a1).await, form)
            })
        }
    }
    impl r#match {
        /// Calls [`match()`](fn@match) where it is deployed, or in this process.
        #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
        pub fn remote(
            r#type: String,
            r#in: Option<r#async::Kind>,
        ) -> __flash::Call<Self> {
            __flash::Call::new((r#type, r#in))
        }
    }
    __flash::register!(r#match);
};
