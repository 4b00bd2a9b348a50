pub(crate) async fn add_note(
    id: u64,
    kind: Kind,
    tags: Vec<String>,
    draft: Option<bool>,
) -> Result<Note, flash::Error> {
    store(id, kind, tags, draft).await
}
/// Remote handle of [`add_note()`](fn@add_note).
#[allow(
    non_camel_case_types,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
#[non_exhaustive]
pub(crate) struct add_note {}
#[allow(deprecated)]
const _: () = {
    use ::flash::__private as __flash;
    const __RESOURCE: &__flash::Endpoint = &endpoints::API;
    const _: () = __flash::check_http(__RESOURCE);
    const __SLOTS: (
        __flash::Slot<u64>,
        __flash::Slot<Kind>,
        __flash::Slot<Vec<String>>,
        __flash::Slot<Option<bool>>,
    ) = (
        __flash::slot("id", "u64", &__flash::Json),
        __flash::slot("type", "Kind", &__flash::Json),
        __flash::slot("tags", "Vec<String>", &__flash::Json).defaulted(),
        __flash::slot("draft", "Option<bool>", &__flash::Json),
    );
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __flash::Remote for add_note {
        const META: &'static __flash::Meta = &__flash::Meta::new(
                "add-note",
                __RESOURCE,
                "endpoints::API",
            )
            .at(
                ::core::module_path!(),
                ::core::file!(),
                ::core::line!(),
                ::core::column!(),
            )
            .is_async(true)
            .returns(&__flash::Returned(Self::RETURNS))
            .ident("add_note")
            .http(__flash::Method::PATCH, "/items/{id}/notes")
            .status(202u16)
            .params(
                &[
                    __SLOTS.0.param(),
                    __SLOTS.1.param(),
                    __SLOTS.2.param(),
                    __SLOTS.3.param(),
                ],
            )
            .schemas(
                __flash::schemas!(
                    [u64, Kind, Vec < String >, Option < bool >] Result < Note,
                    flash::Error >
                ),
            );
        const RETURNS: &'static dyn __flash::Returns<Self::Return> = &__flash::Answer;
        type Door = __flash::Http;
        type Args = (u64, Kind, Vec<String>, Option<bool>);
        type Return = Result<Note, flash::Error>;
        fn decode(
            fields: &mut __flash::Fields<'_>,
        ) -> ::core::option::Option<Self::Args> {
            let __a0 = __SLOTS.0.take(fields);
            let __a1 = __SLOTS.1.take(fields);
            let __a2 = __SLOTS
                .2
                .take_or(fields, <Vec<String> as ::core::default::Default>::default);
            let __a3 = __SLOTS.3.take(fields);
            ::core::option::Option::Some((__a0?, __a1?, __a2?, __a3?))
        }
        fn encode(args: &Self::Args, fields: &mut __flash::FieldWriter) {
            let (__a0, __a1, __a2, __a3) = args;
            __SLOTS.0.put(fields, __a0);
            __SLOTS.1.put(fields, __a1);
            __SLOTS.2.put(fields, __a2);
            __SLOTS.3.put(fields, __a3);
        }
        fn invoke(
            args: Self::Args,
            _: __flash::Scope,
            form: __flash::ReplyForm,
        ) -> __flash::Invocation {
            ::std::boxed::Box::pin(async move {
                let (__a0, __a1, __a2, __a3) = args;
                __flash::Returns::encode(
                    Self::RETURNS,
                    add_note(__a0, __a1, __a2, __a3).await,
                    form,
                )
            })
        }
    }
    impl add_note {
        /// Calls [`add_note()`](fn@add_note) where it is deployed, or in this process.
        #[allow(dead_code, non_snake_case, unreachable_pub, clippy::too_many_arguments)]
        pub(crate) fn remote(
            id: u64,
            kind: Kind,
            tags: Vec<String>,
            draft: Option<bool>,
        ) -> __flash::Call<Self> {
            __flash::Call::new((id, kind, tags, draft))
        }
    }
    __flash::register!(add_note);
};
