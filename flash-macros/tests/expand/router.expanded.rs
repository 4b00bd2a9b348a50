/// Pages.
pub(crate) fn pages() -> axum::Router {
    axum::Router::new().route("/about", get(async || about::remote().await))
}
/// Handle of the router [`pages()`](fn@pages).
#[allow(non_camel_case_types, unreachable_pub)]
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
#[non_exhaustive]
pub(crate) struct pages {}
#[allow(deprecated)]
const _: () = {
    use ::flash::__private as __flash;
    const __RESOURCE: &__flash::Endpoint = &endpoints::API;
    const _: () = __flash::check_router(__RESOURCE);
    #[automatically_derived]
    impl __flash::Mounted for pages {
        const MOUNT: &'static __flash::Mount = &__flash::Mount::new(
                "pages",
                __RESOURCE,
                "endpoints::API",
                || {
                    let router: __flash::Router = pages();
                    ::std::boxed::Box::new(router)
                },
            )
            .at(::core::file!(), ::core::line!())
            .calling(&["about"], &[|| <classify as __flash::Callee>::META]);
    }
    __flash::register_router!(pages);
};
