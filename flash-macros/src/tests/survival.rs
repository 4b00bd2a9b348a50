//! An editor expands macros while the item is being typed. Whatever is missing, the item comes back.

use proc_macro2::TokenStream;

use super::{compile_errors, idents, tokens};
use crate::entry;

fn expand(attr: &str, item: &str) -> TokenStream {
    entry::remote(tokens(attr), &tokens(item))
}

/// The item is the beginning of the output, token by token.
fn assert_survives(attr: &str, item: &str) -> TokenStream {
    let output = expand(attr, item);
    let (item, text) = (tokens(item).to_string(), output.to_string());
    assert!(text.starts_with(&item), "the item is gone:\n{item}\nbecame\n{text}");
    output
}

fn has_handle(output: &TokenStream) -> bool {
    output.to_string().contains("struct f {")
}

#[test]
fn a_body_with_syntax_errors_is_not_looked_at() {
    for body in ["{ text. }", "{ let x = }", "{ if }", "{ foo(, }", "{ embed::remote( }", "{ 1 + }"] {
        // Brackets are always balanced in what a macro gets; a half-typed call has its closing one in the next line.
        let body = body.replace("foo(, }", "foo(,) }").replace("remote( }", "remote() }");
        let output =
            assert_survives("resource = GPU", &format!("async fn f(text: String) -> Result<u32, E> {body}"));
        assert!(compile_errors(output.clone()).is_empty(), "{body}: the compiler reports that itself");
        assert!(has_handle(&output), "{body}: callers of f::remote would have a second error");
    }
}

#[test]
fn a_broken_attribute_keeps_item_and_handle() {
    for attr in [
        "",
        "resource",
        "resource =",
        "resource = ,",
        "resource = GPU, meth",
        "resource = GPU method",
        "= GPU",
        "1, 2",
        "resource = GPU,, name = \"x\"",
        "resource = crate::",
        "calls",
        "status = \"x\"",
    ] {
        let output = assert_survives(attr, "async fn f(text: String) -> Result<u32, E> { body }");
        assert!(!compile_errors(output.clone()).is_empty(), "`{attr}` is not right");
        assert!(has_handle(&output), "`{attr}`: {output}");
    }
}

#[test]
fn an_item_that_does_not_parse_comes_back() {
    for item in [
        "async fn f(text: ) -> Result<u32, E> { body }",
        "async fn f(text) -> Result<u32, E> { body }",
        "async fn f(text: String -> Result<u32, E> { body }".replace("String ->", "String) ->").as_str(),
        "async fn (text: String) {}",
        "async fn f",
        "pub async",
        "fn f(a: u8, , b: u8) {}",
        "async fn f(text: String) -> { body }",
        "async fn f(text: String) -> Result<u32, { body }",
        "@ $ !",
        "",
    ] {
        assert_survives("resource = GPU", item);
    }
}

#[test]
fn what_does_not_parse_is_still_freed_of_helper_attributes() {
    let output = expand(
        "resource = GPU",
        "async fn f(#[remote(default = 3)] top: , #[remote(rename = \"x\")] y: u8) { #[remote] fn g() {} }",
    );
    let text = output.to_string();
    let (signature, body) = text.split_once('{').expect("there is a body");
    assert!(
        !signature.contains("remote"),
        "a helper attribute is left, which is an error of its own: {text}"
    );
    assert!(body.contains("# [remote] fn g"), "attributes in the body are the body's own: {text}");
}

#[test]
fn other_items_come_back_with_one_error() {
    for (item, named) in [
        ("impl Work for Worker { fn load() -> Self { Self } }", "trait"),
        ("struct Worker { a: u8 }", "struct"),
        ("enum Kind { A }", "enum"),
        ("trait T { fn f(&self); }", "trait"),
        ("mod m { }", "mod"),
        ("static A: u8 = 1;", "static"),
        ("const A: u8 = 1;", "const"),
        ("type A = u8;", "type"),
    ] {
        let output = expand("resource = GPU", item);
        let errors = compile_errors(output.clone());
        assert_eq!(errors.len(), 1, "{item}: {errors:?}");
        assert!(errors[0].contains(named), "{item}: {}", errors[0]);
        assert!(!has_handle(&output), "{item}");
        assert!(!output.to_string().contains("# [remote"), "{item}: a helper attribute is left");
    }
}

#[test]
fn a_method_gets_no_handle() {
    // A struct inside of an `impl` block would be an error that the user did not make.
    for item in [
        "async fn f(&self, x: u8) -> Result<u8, E> { body }",
        "async fn f(x: u8) -> Result<Self, E> { body }",
        "async fn f(x: Vec<Self>) -> Result<u8, E> { body }",
        "async fn f(x: u8) -> Result<u8, E>;",
    ] {
        let output = assert_survives("resource = GPU", item);
        assert_eq!(compile_errors(output.clone()).len(), 1, "{item}");
        assert!(!idents(output).contains(&"struct".to_owned()), "{item}");
    }
}

#[test]
fn a_bug_in_the_macro_costs_a_message_and_not_the_item() {
    let output = crate::errors::guard("#[remote]", tokens("fn f() {}"), || panic!("index out of bounds"));
    assert!(output.to_string().starts_with("fn f () { }"));
    let errors = compile_errors(output);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains("bug in `#[remote]`: index out of bounds"), "{}", errors[0]);
}

#[test]
fn only_one_handle_per_function() {
    let output = expand("resource = GPU", "#[remote(resource = API)] async fn f() -> Result<u8, E> { body }");
    assert_eq!(compile_errors(output.clone()).len(), 1);
    assert!(!output.to_string().contains("# [remote"), "the second one would make the handle again");
}

#[test]
fn main_comes_back_when_it_cannot_be_wrapped() {
    for item in
        ["fn main() {}", "async fn start() {}", "async fn main(arguments: Vec<String>) {}", "struct Main;"]
    {
        let output = entry::main(TokenStream::new(), tokens(item));
        assert!(output.to_string().starts_with(&tokens(item).to_string()));
        assert_eq!(compile_errors(output).len(), 1, "{item}");
    }
    let output = entry::main(TokenStream::new(), tokens("async fn main() { half. }"));
    assert!(compile_errors(output.clone()).is_empty());
    assert!(output.to_string().contains("async fn main () { half . }"), "{output}");
}
