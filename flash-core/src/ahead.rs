//! Reads the arguments of a request that has nothing wrong in one pass over its text.
//!
//! The long way ([`Fields::add_json`](crate::Fields::add_json)) finds where each value ends before it is read as anything,
//! because one answer has to name every field that is wrong. Whatever is unusual here goes that way, so this one knows
//! no errors.

use crate::encode::plain_length;
use crate::meta::Param;

/// The value of one parameter, without its type.
pub(crate) type Ahead = Box<dyn std::any::Any + Send>;

/// Reads the fields of a JSON object for the parameters that take them; `put` says whether a name is new. `None` for anything
/// but an object of known and new names, each with a value of its parameter's type.
pub(crate) fn read(
    json: &str,
    params: &'static [Param],
    mut put: impl FnMut(&'static str, Ahead) -> bool,
) -> Option<()> {
    // The body takes what is left, and only the long way knows what that is.
    if params.iter().any(|param| param.is_body) {
        return None;
    }
    let mut rest = Rest(json).token(b'{')?;
    if let Some(end) = rest.token(b'}') {
        return end.is_blank().then_some(());
    }
    loop {
        let (name, after) = rest.name()?;
        let param = params.iter().find(|param| param.name == name)?;
        let after = after.token(b':')?;
        let (value, length) = param.read_ahead(after.0)?;
        if !put(param.name, value) {
            return None;
        }
        rest = Rest(after.0.get(length..)?);
        match rest.token(b',') {
            Some(after) => rest = after,
            None => return rest.token(b'}')?.is_blank().then_some(()),
        }
    }
}

/// What has not been read yet.
#[derive(Clone, Copy)]
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn trimmed(self) -> &'a str {
        self.0.trim_start_matches([' ', '\t', '\n', '\r'])
    }

    fn is_blank(self) -> bool {
        self.trimmed().is_empty()
    }

    /// What follows this character.
    fn token(self, token: u8) -> Option<Self> {
        let text = self.trimmed();
        (text.as_bytes().first() == Some(&token)).then(|| Self(&text[1..]))
    }

    /// A name, and what follows it. Nothing in it may need a second look: no escape, no control character.
    fn name(self) -> Option<(&'a str, Self)> {
        let Self(text) = self.token(b'"')?;
        let (name, after) = text.split_at(plain_length(text.as_bytes()));
        Some((name, Self(after.strip_prefix('"')?)))
    }
}

/// The text at the beginning, and where it ends: straight into its place, because texts are what makes arguments large.
/// serde_json collects a text with escapes elsewhere first. `None` for what is no text or has rare escapes; it knows better.
pub(crate) fn text(json: &str) -> Option<(String, usize)> {
    let Rest(inner) = Rest(json).token(b'"')?;
    let (plain, mut rest) = inner.split_at(plain_length(inner.as_bytes()));
    let length = |rest: &str| json.len() - rest.len();
    if let Some(after) = rest.strip_prefix('"') {
        return Some((plain.to_owned(), length(after)));
    }
    let mut text = String::with_capacity(inner.len());
    text.push_str(plain);
    while let [b'\\', escape, ..] = rest.as_bytes() {
        text.push(match escape {
            b'n' => '\n',
            b'"' => '"',
            b'\\' => '\\',
            b't' => '\t',
            b'r' => '\r',
            b'/' => '/',
            _ => return None,
        });
        let (plain, after) = rest[2..].split_at(plain_length(&rest.as_bytes()[2..]));
        text.push_str(plain);
        rest = after;
    }
    let after = rest.strip_prefix('"')?;
    // What follows was counted as well.
    if text.capacity() / 2 > text.len() {
        text.shrink_to_fit();
    }
    Some((text, length(after)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_serde_json(json: &str) -> Option<(String, usize)> {
        let mut values = serde_json::Deserializer::from_str(json).into_iter::<String>();
        let text = values.next()?.ok()?;
        Some((text, values.byte_offset()))
    }

    #[test]
    fn texts_are_read_as_serde_json_reads_them_or_left_to_it() {
        let long = "x".repeat(100);
        for json in [
            r#""""#,
            r#""a""#,
            " \t\r\n\"a\",",
            r#""a\n\t\r\"\\\/b","more": 1}"#,
            r#""\n""#,
            r#""ä🦀\nö" "#,
            &format!("\"{long}\\n{long}\"{long}"),
        ] {
            assert_eq!(text(json), by_serde_json(json), "{json}");
            assert!(text(json).is_some(), "{json}");
        }
        for json in [
            r#""\u00e4""#,
            r#""\b""#,
            r#""\x""#,
            "\"a\nb\"",
            r#""a"#,
            r#""a\"#,
            r#""a\n"#,
            "1",
            "",
            " ",
            "[\"a\"]",
        ] {
            assert_eq!(text(json), None, "{json}");
        }
        // Nobody keeps the room of what only followed.
        let json = format!(r#""\n",{}"#, " ".repeat(1000));
        assert!(text(&json).unwrap().0.capacity() < 100);
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_serde_json_reads_it(value in any::<String>(), after in "[,} \"a]{0,3}", cut in 0_usize..40) {
            let json = serde_json::to_string(&value).unwrap() + &after;
            if let Some(read) = text(&json) {
                prop_assert_eq!(Some(read), by_serde_json(&json));
            }
            if let Some(part) = json.get(..cut) && let Some(read) = text(part) {
                prop_assert_eq!(Some(read), by_serde_json(part));
            }
        }
    }
}
