use super::weights::BUCKETS;

/// Words after which the next few mean their opposite, apostrophes removed as [`clean`](crate::text::clean) does it.
const NEGATIONS: [&str; 29] = [
    "aint", "arent", "barely", "cannot", "cant", "couldnt", "didnt", "doesnt", "dont", "hadnt", "hardly",
    "hasnt", "havent", "isnt", "neither", "never", "no", "nobody", "nor", "not", "nothing", "shouldnt",
    "wasnt", "werent", "without", "wont", "wouldnt", "rarely", "seldom",
];

/// How many words a negation reaches, unless punctuation ends it before.
const NEGATION_REACH: usize = 3;

/// Marks a word inside the reach of a negation; it cannot occur in a word.
const NEGATED: &str = "\u{1}";
/// Joins the two words of a pair; it cannot occur in a word.
const PAIR: &str = "\u{2}";

/// Where the weights of one word or pair lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Feature {
    /// Index of the bucket.
    pub bucket: usize,
    /// What the bucket's tag must be. Without it a pair that training never saw would borrow the weights of whichever
    /// word shares its bucket. Never 0, which marks an empty bucket.
    pub tag: u8,
}

impl Feature {
    fn of(parts: &[&str]) -> Self {
        let hash = fnv1a(parts.iter().flat_map(|part| part.bytes()));
        let tag = (hash >> 32) as u8;
        Self { bucket: (hash as usize) % BUCKETS, tag: tag.max(1) }
    }
}

/// The features of a text: each word (marked where a negation reaches it), each pair of neighbours, and runs of `!` or
/// `?`. Case does not matter. Pairs and negations end at punctuation.
#[must_use]
pub fn features(text: &str) -> Vec<Feature> {
    let lower = text.to_lowercase();
    let mut found = Vec::new();
    let mut previous: Option<&str> = None;
    let mut negated = 0;
    for token in tokens(&lower) {
        if token.starts_with(is_stop) {
            if token != "." && token != "," {
                found.push(Feature::of(&[token]));
            }
            (previous, negated) = (None, 0);
            continue;
        }
        found.push(if negated > 0 { Feature::of(&[NEGATED, token]) } else { Feature::of(&[token]) });
        if let Some(previous) = previous {
            found.push(Feature::of(&[previous, PAIR, token]));
        }
        negated = if NEGATIONS.contains(&token) { NEGATION_REACH } else { usize::saturating_sub(negated, 1) };
        previous = Some(token);
    }
    found
}

fn is_stop(c: char) -> bool {
    matches!(c, '.' | ',' | '!' | '?')
}

/// Words, and for each run of stops its loudest character alone: `"Wait... what?!"` gives `wait`, `.`, `what`, `!`.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric() && !is_stop(c));
        let first = rest.chars().next()?;
        let belongs: fn(char) -> bool =
            if is_stop(first) { |c| is_stop(c) || c.is_whitespace() } else { char::is_alphanumeric };
        let (token, after) = rest.split_at(rest.find(|c| !belongs(c)).unwrap_or(rest.len()));
        rest = after;
        if !is_stop(first) {
            return Some(token);
        }
        Some(["!", "?", "."].into_iter().find(|stop| token.contains(stop)).unwrap_or(","))
    })
}

/// FNV-1a, 64 bits, with a final mix: the low bits of plain FNV repeat for short words. Part of the file format, so it
/// never changes; source: <http://www.isthe.com/chongo/tech/comp/fnv/> and the finaliser of MurmurHash3.
fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_separates_and_loud_stops_are_tokens() {
        assert_eq!(
            tokens("wait... what?! well-made, ok").collect::<Vec<_>>(),
            ["wait", ".", "what", "!", "well", "made", ",", "ok"]
        );
    }

    #[test]
    fn words_and_pairs_are_found_and_case_does_not_matter() {
        let found = features("Very GOOD!");
        assert_eq!(
            found,
            [
                Feature::of(&["very"]),
                Feature::of(&["good"]),
                Feature::of(&["very", PAIR, "good"]),
                Feature::of(&["!"]),
            ]
        );
    }

    #[test]
    fn a_negation_reaches_three_words_and_stops_at_punctuation() {
        let marked = |text: &str, word: &str| features(text).contains(&Feature::of(&[NEGATED, word]));
        assert!(marked("not a very good film", "good"));
        assert!(!marked("not a very good film", "film"));
        assert!(!marked("not bad, good", "good"));
    }

    #[test]
    fn a_text_without_words_has_no_features() {
        assert_eq!(features(" .,- "), []);
    }

    // The committed weights are useless under any other hash.
    #[test]
    fn the_hash_is_the_one_of_the_file_format() {
        assert_eq!(fnv1a("good".bytes()), 0xabb4_a2a1_1fc7_093d);
    }
}
