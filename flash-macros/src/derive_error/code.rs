use proc_macro2::Ident;
use syn::ext::IdentExt;

/// The platform's own codes, of `flash_core::code`: a caller that gets one must be able to tell that it was not the function.
pub(super) const RESERVED: &[&str] = &[
    "failed",
    "invalid_input",
    "invalid_json",
    "invalid_request",
    "unknown_function",
    "not_found",
    "method_not_allowed",
    "unsupported_media_type",
    "payload_too_large",
    "result_too_large",
    "panic",
    "timeout",
    "cancelled",
    "internal",
    "upstream_failed",
    "unreachable",
    "unauthorized",
    "no_address",
    "bad_answer",
    "undeclared_call",
    "state_failed",
    "overloaded",
    "rate_limited",
    "request_timeout",
    "draining",
];

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

#[cfg(test)]
mod tests {
    use super::RESERVED;

    #[test]
    fn every_code_of_the_platform_is_reserved() {
        let source = include_str!("../../../flash-core/src/error/code.rs");
        let codes: Vec<&str> =
            source.lines().filter_map(|line| line.split_once("&str = \"")?.1.strip_suffix("\";")).collect();
        assert!(codes.len() > 20, "{codes:?}");
        assert_eq!(codes, RESERVED);
    }
}
