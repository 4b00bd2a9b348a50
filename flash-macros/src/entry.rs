use proc_macro2::TokenStream;

use crate::attr::RemoteArgs;
use crate::errors::{Errors, guard};
use crate::item::Item;
use crate::{derive_error, expand, main_fn, router_fn, strip, validate};

/// The item, whatever happens; then what was made of it; then every problem.
pub(crate) fn remote(attr: TokenStream, item: &TokenStream) -> TokenStream {
    let mut output = guard("#[remote]", item.clone(), || strip::helpers(item.clone()));
    let generated = guard("#[remote]", TokenStream::new(), || {
        let mut errors = Errors::default();
        let mut generated = match Item::parse(item, &mut errors) {
            Item::Function(item) => {
                let args = RemoteArgs::parse(attr, &mut errors);
                let function = validate::function(args, *item, &mut errors);
                expand::function(&function, errors.is_empty())
            }
            Item::Class(item) => {
                let args = RemoteArgs::parse_class(attr, &mut errors);
                match validate::class(args, *item, &mut errors) {
                    Some(class) => expand::class(&class, errors.is_empty()),
                    None => TokenStream::new(),
                }
            }
            Item::Other => {
                RemoteArgs::parse(attr, &mut errors);
                TokenStream::new()
            }
        };
        generated.extend(errors.into_tokens());
        generated
    });
    output.extend(generated);
    output
}

/// The function, whatever happens; then its handle; then every problem.
pub(crate) fn router(attr: TokenStream, item: &TokenStream) -> TokenStream {
    let mut output = item.clone();
    output.extend(guard("#[flash::router]", TokenStream::new(), || {
        let mut errors = Errors::default();
        let mut generated = router_fn::expand(attr, item.clone(), &mut errors);
        generated.extend(errors.into_tokens());
        generated
    }));
    output
}

pub(crate) fn derive_remote_error(item: TokenStream) -> TokenStream {
    guard("#[derive(RemoteError)]", TokenStream::new(), || derive_error::derive(item))
}

pub(crate) fn main(attr: TokenStream, item: TokenStream) -> TokenStream {
    guard("#[flash::main]", item.clone(), || main_fn::expand(attr, item))
}
