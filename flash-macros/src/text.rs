use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Tokens of a type or a path as a person writes them: `Vec<f32>`, not `Vec < f32 >`.
pub(crate) fn of(tokens: TokenStream) -> String {
    let mut text = String::new();
    write(tokens, &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                // `&mut [u8]`, but `fn(u8)`.
                if open == "[" && text.ends_with(char::is_alphanumeric) {
                    text.push(' ');
                }
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                ',' | ';' => {
                    text.push(punct.as_char());
                    text.push(' ');
                }
                '=' | '+' => {
                    text.push(' ');
                    text.push(punct.as_char());
                    text.push(' ');
                }
                '-' if punct.spacing() == Spacing::Joint => text.push_str(" -"),
                '>' if text.ends_with(" -") => text.push_str("> "),
                other => text.push(other),
            },
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                if text.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
                    text.push(' ');
                }
                text.push_str(&token.to_string());
            }
        }
    }
}
