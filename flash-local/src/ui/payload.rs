//! Data of users, which can be megabytes.

use flash_queue::Payload;
use serde::Serialize;

/// Bytes of one piece of data that a page is sent.
const MOST: usize = 64 * 1024;

/// JSON, or the beginning of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Part<'a> {
    /// As text: a number that a script can not hold must be shown as it is.
    Whole {
        json: &'a str,
    },
    Text {
        text: &'a str,
    },
    Beginning {
        start: &'a str,
        bytes: usize,
    },
}

pub(super) fn part(payload: &Payload) -> Part<'_> {
    if payload.len() <= MOST {
        return Part::Whole { json: payload.get() };
    }
    beginning(payload.get())
}

pub(super) fn text(text: &str) -> Part<'_> {
    if text.len() <= MOST { Part::Text { text } } else { beginning(text) }
}

fn beginning(text: &str) -> Part<'_> {
    let end = (0..=MOST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    Part::Beginning { start: &text[..end], bytes: text.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_data_is_cut_between_characters() {
        let long = "é".repeat(MOST);
        let payload = Payload::from_json(format!("\"{long}\"")).unwrap();
        let Part::Beginning { start, bytes } = part(&payload) else { panic!("it is not cut") };
        assert_eq!((start.len(), bytes), (MOST - 1, 2 * MOST + 2));
        let small = Payload::from_json("{\"a\": 1}").unwrap();
        assert_eq!(serde_json::to_string(&part(&small)).unwrap(), r#"{"json":"{\"a\": 1}"}"#);
        assert_eq!(serde_json::to_string(&text("oh")).unwrap(), r#"{"text":"oh"}"#);
    }
}
