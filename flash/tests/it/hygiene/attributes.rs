//! Attributes of the function stay on it, and those that concern its existence hold for the handle.

use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("attributes");

#[remote(resource = GPU)]
#[cfg(any())]
async fn not_in_this_build(x: NoSuchType) -> Result<NoSuchType, Error> {
    Ok(x)
}

#[cfg(not(any()))]
#[remote(resource = GPU)]
async fn not_in_this_build() -> Result<u8, Error> {
    Ok(1)
}

#[remote(resource = GPU)]
#[expect(unused_variables, reason = "the lint fires once, on the function, and nowhere else")]
async fn with_expectation(unused: u8) -> Result<u8, Error> {
    Ok(1)
}

#[allow(non_snake_case)]
#[remote(resource = GPU)]
#[inline]
fn with_lints(firstName: String) -> Result<String, Error> {
    Ok(firstName)
}

/// Replaced.
#[deprecated(note = "use `with_lints`")]
#[doc(hidden)]
#[remote(resource = GPU)]
async fn retired() -> Result<u8, Error> {
    Ok(2)
}

#[tokio::test]
async fn a_function_that_is_not_built_leaves_nothing() {
    assert_eq!(not_in_this_build::remote().await.unwrap(), 1);
    assert_eq!(with_expectation(1).await.unwrap(), 1);
    assert_eq!(with_expectation::remote(1).await.unwrap(), 1);
}

#[tokio::test]
async fn names_travel_as_they_are_written() {
    assert_eq!(crate::support::run::<with_lints>(r#"{"firstName":"x"}"#).await.unwrap(), r#""x""#);
}

#[tokio::test]
#[expect(deprecated, reason = "the handle is deprecated with its function")]
async fn a_deprecated_function_warns_where_it_is_used_and_only_there() {
    assert_eq!(retired::remote().await.unwrap(), 2);
}
