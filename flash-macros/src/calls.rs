use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::text;

/// What stands before `::remote(` anywhere in a body, as text and never as code: the build compares it with the
/// registry to find out which endpoints call which.
pub(crate) fn seen(body: TokenStream) -> Vec<String> {
    let mut found = BTreeSet::new();
    scan(body, &mut found);
    found.into_iter().collect()
}

fn scan(tokens: TokenStream, found: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            scan(group.stream(), found);
        }
        if is_ident(token, "remote") && is_call(&tokens[at + 1..]) && ends_in_separator(&tokens[..at]) {
            let path = path_before(&tokens[..at - 2]);
            if !path.is_empty() {
                found.insert(path);
            }
        }
    }
}

fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn is_call(rest: &[TokenTree]) -> bool {
    matches!(rest.first(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

fn ends_in_separator(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [.., a, b] if is_punct(a, ':') && is_punct(b, ':'))
}

/// The longest path that ends where `tokens` end, without whitespace and without `r#`.
fn path_before(tokens: &[TokenTree]) -> String {
    let mut start = tokens.len();
    while let Some(segment) = segment_before(&tokens[..start]) {
        start = segment;
        if !ends_in_separator(&tokens[..start]) {
            break;
        }
        start -= 2;
    }
    let path = match &tokens[start..] {
        // `<embed>::remote(…)` and `<embed as Trait>::remote(…)` are calls of `embed`.
        [open, inner @ .., close] if is_punct(open, '<') && is_punct(close, '>') => {
            let end = inner.iter().position(|token| is_ident(token, "as")).unwrap_or(inner.len());
            &inner[..end]
        }
        path => path,
    };
    text::of(path.iter().cloned().collect()).replace("r#", "").replace(' ', "")
}

/// Where the last path segment of `tokens` begins: an identifier, or anything in angle brackets.
fn segment_before(tokens: &[TokenTree]) -> Option<usize> {
    match tokens.last()? {
        // `$crate` of a macro arrives as an identifier as well.
        TokenTree::Ident(_) => Some(tokens.len() - 1),
        // What `$path` of a macro stands for.
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => Some(tokens.len() - 1),
        last if is_punct(last, '>') => {
            let mut depth = 0;
            for (at, token) in tokens.iter().enumerate().rev() {
                if is_punct(token, '>') {
                    depth += 1;
                } else if is_punct(token, '<') {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at);
                    }
                }
            }
            None
        }
        _ => None,
    }
}
