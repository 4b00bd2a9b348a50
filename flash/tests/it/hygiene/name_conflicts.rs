//! A user's own items have the names of the prelude's, and of the crates that the expansion uses.
#![allow(dead_code, non_snake_case, non_camel_case_types, unused_macros, clippy::upper_case_acronyms)]

mod core {}
mod std {}
mod alloc {}
mod flash {}
mod serde {}
mod __private {}

struct Result;
struct Option;
struct Vec;
struct Box;
struct String;
struct Some;
struct None;
struct Pin;
struct Json;
struct Call;
struct Meta;
trait Send {}
trait Sync {}
trait Sized {}
trait Copy {}
trait Clone {}
trait Debug {}
trait Default {}
trait Future {}
trait From {}
trait Into {}
trait ToString {}
trait Remote {}
trait RemoteError {}
fn Ok() {}
fn Err() {}
fn drop() {}
macro_rules! panic {
    () => {
        compile_error!("not this one")
    };
}
macro_rules! file {
    () => {
        compile_error!("not this one")
    };
}

static GPU: ::flash::Endpoint = ::flash::Endpoint::queue("conflicts");
static API: ::flash::Endpoint = ::flash::Endpoint::http("conflicts-api");

#[derive(::core::fmt::Debug, ::thiserror::Error, ::flash::RemoteError)]
enum ConflictError {
    #[error("empty")]
    Empty,
    #[error("{0}")]
    One(u8),
    #[error("{a}")]
    Named { a: u8, wire: u8, value: u8 },
    #[error("call")]
    #[remote(call)]
    Call(::flash::CallError<::flash::Error>),
}

/// Parameters have the names of the expansion's locals.
#[::flash::remote(resource = GPU)]
async fn conflicting(
    fields: u8,
    args: ::std::string::String,
    scope: ::core::option::Option<u8>,
    #[remote(default = 5)] __a0: u8,
    #[remote(default)] value: ::std::vec::Vec<u8>,
) -> ::core::result::Result<::std::string::String, ConflictError> {
    ::core::result::Result::Ok(::std::format!("{fields}{args}{scope:?}{__a0}{value:?}"))
}

#[::flash::remote(resource = API, method = "GET", path = "/{id}")]
fn conflicting_route(id: u8, _context: ::flash::Context) -> ::core::result::Result<u8, ::flash::Error> {
    ::core::result::Result::Ok(id)
}

#[::tokio::test]
async fn it_works_all_the_same() {
    let text =
        conflicting::remote(1, "x".into(), ::core::option::Option::None, 2, ::std::vec![3]).await.unwrap();
    assert_eq!(text, "1xNone2[3]");
    let json = crate::support::run::<conflicting>(r#"{"fields":1,"args":"x"}"#).await.unwrap();
    assert_eq!(json, r#""1xNone5[]""#);
    assert_eq!(crate::support::run::<conflicting_route>(r#"{"id":4}"#).await.unwrap(), "4");
    let error = ConflictError::Named { a: 1, wire: 2, value: 3 };
    let wire = ::flash::RemoteError::to_wire(&error);
    let back = <ConflictError as ::flash::RemoteError>::from_wire(wire).unwrap();
    assert!(::core::matches!(back, ConflictError::Named { a: 1, wire: 2, value: 3 }));
}
