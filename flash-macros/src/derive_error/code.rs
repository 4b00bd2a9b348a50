use proc_macro2::Ident;
use syn::ext::IdentExt;

/// The code of a variant that gives none: its name in snake case, `http_error` for `HTTPError`.
pub(super) fn default(variant: &Ident) -> String {
    let name: Vec<char> = variant.unraw().to_string().chars().collect();
    let mut code = String::new();
    for (at, char) in name.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| name[at]);
        let is_start = char.is_uppercase()
            && before.is_some_and(|before| {
                let ends_acronym =
                    before.is_uppercase() && name.get(at + 1).is_some_and(|next| next.is_lowercase());
                (before != '_' && !before.is_uppercase()) || ends_acronym
            });
        if is_start {
            code.push('_');
        }
        code.extend(char.to_lowercase());
    }
    code
}

/// Codes are identifiers of machines: they are compared, logged and counted.
pub(super) fn is_valid(code: &str) -> bool {
    let is_known = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_';
    code.starts_with(|first: char| first.is_ascii_lowercase()) && code.chars().all(is_known)
}
