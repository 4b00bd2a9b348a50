use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The item without the helper attributes `#[remote(…)]` on its parameters, otherwise token by token as written.
///
/// Works on tokens, because it must also work for an item that does not parse.
pub(crate) fn helpers(item: TokenStream) -> TokenStream {
    let is_block_of_items = item
        .clone()
        .into_iter()
        .find_map(|token| match token {
            TokenTree::Ident(ident) if ident == "fn" => Some(false),
            TokenTree::Ident(ident) if ident == "impl" || ident == "trait" => Some(true),
            _ => None,
        })
        .unwrap_or(false);
    strip(item, is_block_of_items)
}

/// Removes helper attributes from these tokens and from parameter lists among them, and from the items of a block where
/// the braces belong to an `impl` and not to a function body: attributes in a body are the body's own.
fn strip(tokens: TokenStream, enter_braces: bool) -> TokenStream {
    let mut output = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' && tokens.peek().is_some_and(is_helper) => {
                tokens.next();
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                output.push(within(&group, |stream| strip(stream, false)));
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && enter_braces => {
                output.push(within(&group, |stream| strip(stream, false)));
            }
            token => output.push(token),
        }
    }
    output.into_iter().collect()
}

/// The group with its stream changed. A group in which nothing is removed stays itself, because a rebuilt one has lost
/// the spans of its single delimiters.
fn within(group: &Group, change: impl FnOnce(TokenStream) -> TokenStream) -> TokenTree {
    let stream = change(group.stream());
    if count(stream.clone()) == count(group.stream()) {
        return TokenTree::Group(group.clone());
    }
    let mut changed = Group::new(group.delimiter(), stream);
    changed.set_span(group.span());
    TokenTree::Group(changed)
}

fn count(tokens: TokenStream) -> usize {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => 1 + count(group.stream()),
            _ => 1,
        })
        .sum()
}

/// Whether what follows a `#` is `[remote]`, `[remote(…)]` or the same with a path such as `flash::remote`.
fn is_helper(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    if group.delimiter() != Delimiter::Bracket {
        return false;
    }
    let path: Vec<TokenTree> = group
        .stream()
        .into_iter()
        .take_while(|token| match token {
            TokenTree::Ident(_) => true,
            TokenTree::Punct(punct) => punct.as_char() == ':',
            _ => false,
        })
        .collect();
    matches!(path.last(), Some(TokenTree::Ident(ident)) if ident == "remote")
}
