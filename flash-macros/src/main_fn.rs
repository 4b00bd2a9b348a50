use proc_macro2::TokenStream;
use syn::Path;

use crate::attr::{path, read_arguments};
use crate::errors::Errors;
use crate::item::FnItem;
use crate::paths;
use crate::span::hygienic;

/// `#[flash::main]`: the user's `async fn main` inside of one that plays the role the environment asks for.
pub(crate) fn expand(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut krate: Option<Path> = None;
    read_arguments(attr, &["crate"], &mut errors, |key, input| {
        krate = Some(path(&key, input, "a path", "::renamed")?);
        Ok(())
    });
    let krate = paths::flash(krate, &mut errors);
    match syn::parse2::<FnItem>(item.clone()) {
        Ok(function) => validate(&function, &mut errors),
        Err(error) => errors.syntax(error),
    }
    if !errors.is_empty() {
        let mut output = item;
        output.extend(errors.into_tokens());
        return output;
    }
    hygienic! {
        fn main() -> ::std::process::ExitCode {
            #item
            #krate::__private::run_main(main)
        }
    }
}

fn validate(function: &FnItem, errors: &mut Errors) {
    let sig = &function.sig;
    if sig.ident != "main" {
        errors.help(&sig.ident, "`#[flash::main]` is for `main`", "move it to `async fn main()`");
    }
    if sig.asyncness.is_none() {
        errors.help(
            &sig.fn_token,
            "`#[flash::main]` is for an `async fn main`",
            "write `async fn main()`, or call `flash::run()` in a plain `main` without this attribute",
        );
    }
    if !sig.inputs.is_empty() {
        errors.help(&sig.inputs, "`main` has no parameters", "read `std::env::args()`");
    }
}
