/// Pages.
#[router(resource = endpoints::API, calls(classify))]
pub(crate) fn pages() -> axum::Router {
    axum::Router::new().route("/about", get(async || about::remote().await))
}
