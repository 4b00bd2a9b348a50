pub async fn pipeline(text: String) -> Result<Answer, ApiError> {
    let (clean, tags) = tokio::join!(
        preprocess::remote(text.clone()), crate ::tags::find::remote(text)
    );
    let labels = if clean.is_empty() {
        Vec::new()
    } else {
        <classify>::remote(clean, 3).await?
    };
    let twice = preprocess::remote(String::new()).timeout(LIMIT).await?;
    let not_a_call = (
        remote(),
        self::config::remote,
        list.remote(),
        http::remote::get(),
    );
    Ok(Answer { labels, tags: tags? })
}
/// Remote handle of [`pipeline()`](fn@pipeline).
#[allow(
    non_camel_case_types,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
#[non_exhaustive]
pub struct pipeline {}
#[allow(deprecated)]
const _: () = {
    use ::flash::__private as __flash;
    const __RESOURCE: &__flash::Endpoint = &API;
    const _: () = __flash::check_http(__RESOURCE);
    const __SLOTS: (__flash::Slot<String>,) = (
        __flash::slot("text", "String", &__flash::Json),
    );
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __flash::Remote for pipeline {
        const META: &'static __flash::Meta = &__flash::Meta::new(
                "pipeline",
                __RESOURCE,
                "API",
            )
            .at(
                ::core::module_path!(),
                ::core::file!(),
                ::core::line!(),
                ::core::column!(),
            )
            .is_async(true)
            .returns(&__flash::Returned(Self::RETURNS))
            .http(__flash::Method::POST, "/pipeline")
            .params(&[__SLOTS.0.param()])
            .schemas(__flash::schemas!([String] Result < Answer, ApiError >))
            .calls_seen(&["classify", "crate::tags::find", "preprocess"])
            .calls(
                &[
                    || <helper::hidden as __flash::Callee>::META,
                    || <crate::gpu::embed as __flash::Callee>::META,
                ],
            );
        const RETURNS: &'static dyn __flash::Returns<Self::Return> = &__flash::Answer;
        type Door = __flash::Http;
        type Args = (String,);
        type Return = Result<Answer, ApiError>;
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
                __flash::Returns::encode(Self::RETURNS, pipeline(__a0).await, form)
            })
        }
    }
    impl pipeline {
        /// Calls [`pipeline()`](fn@pipeline) where it is deployed, or in this process.
        #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
        pub fn remote(text: String) -> __flash::Call<Self> {
            __flash::Call::new((text,))
        }
    }
    __flash::register!(pipeline);
};
