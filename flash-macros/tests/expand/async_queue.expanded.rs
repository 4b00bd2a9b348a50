/// Finds the labels of a text.
///
/// The second paragraph stays in the documentation.
pub async fn classify(
    text: String,
    top: usize,
    model: State<Model>,
) -> Result<Vec<Label>, ClassifyError> {
    model.classify(&text, top).await
}
/// Remote handle of [`classify()`](fn@classify).
#[allow(
    non_camel_case_types,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
#[non_exhaustive]
pub struct classify {}
#[allow(deprecated)]
const _: () = {
    use ::flash::__private as __flash;
    const __RESOURCE: &__flash::Endpoint = &GPU;
    const _: () = __flash::check_queue(__RESOURCE);
    const __SLOTS: (__flash::Slot<String>, __flash::Slot<usize>) = (
        __flash::slot("text", "String", &__flash::Json),
        __flash::slot("top", "usize", &__flash::Json).defaulted(),
    );
    const __INJECTED: (__flash::Injected<State<Model>>,) = (
        __flash::injected(&__flash::Injector),
    );
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __flash::Remote for classify {
        const META: &'static __flash::Meta = &__flash::Meta::new(
                "classify",
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
            .needs(&[&__INJECTED.0])
            .schemas(
                __flash::schemas!(
                    [String, usize] Result < Vec < Label >, ClassifyError >
                ),
            )
            .doc("Finds the labels of a text.");
        const RETURNS: &'static dyn __flash::Returns<Self::Return> = &__flash::Answer;
        type Door = __flash::Queue;
        type Args = (String, usize);
        type Return = Result<Vec<Label>, ClassifyError>;
        fn decode(
            fields: &mut __flash::Fields<'_>,
        ) -> ::core::option::Option<Self::Args> {
            let __a0 = __SLOTS.0.take(fields);
            let __a1 = __SLOTS.1.take_or(fields, || 3);
            ::core::option::Option::Some((__a0?, __a1?))
        }
        fn encode(args: &Self::Args, fields: &mut __flash::FieldWriter) {
            let (__a0, __a1) = args;
            __SLOTS.0.put(fields, __a0);
            __SLOTS.1.put(fields, __a1);
        }
        fn invoke(
            args: Self::Args,
            scope: __flash::Scope,
            form: __flash::ReplyForm,
        ) -> __flash::Invocation {
            ::std::boxed::Box::pin(async move {
                let (__a0, __a1) = args;
                let __i0 = __INJECTED.0.get(&scope).await?;
                __flash::Returns::encode(
                    Self::RETURNS,
                    classify(__a0, __a1, __i0).await,
                    form,
                )
            })
        }
    }
    impl classify {
        /// Calls [`classify()`](fn@classify) where it is deployed, or in this process.
        #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
        pub fn remote(text: String, top: usize) -> __flash::Call<Self> {
            __flash::Call::new((text, top))
        }
    }
    __flash::register!(classify);
};
