use std::collections::BTreeMap;

use mixed_workers::{
    model::{Feature, features},
    text::clean,
};

use crate::{corpus::Sample, random::Random};

/// Sentences made for each word of the lexicon.
const SENTENCES_PER_WORD: usize = 4;
/// A word without valence that the corpus has this often becomes a neutral sample.
const PLAIN_WORD: usize = 3;
/// Of 100 runs of such words in the corpus, how many become a neutral sample as they stand.
const PLAIN_RUNS: usize = 15;
/// Words of the shortest run worth taking.
const SHORTEST_RUN: usize = 4;
/// What VADER multiplies a negated word with.
const NEGATED: f32 = -0.74;
/// Words that change their neighbours; no sentence made here has one by chance.
const NEGATIONS: [&str; 7] = ["not", "no", "never", "dont", "cant", "nothing", "without"];
/// What a made sample counts, compared with a tweet of full weight.
const WEIGHT: f32 = 0.5;

/// The words of VADER with their valence from -4 to 4.
///
/// Tweets about six subjects do not know most words that people praise and blame with, and hardly any plain statement.
/// The lexicon adds both: as single words, negated, and among words that it does not list.
#[derive(Debug)]
pub(crate) struct Lexicon {
    // Sorted, because the order decides which random numbers a word gets.
    words: BTreeMap<String, f32>,
}

impl Lexicon {
    pub(crate) fn load() -> Self {
        let words = vader_sentiment::LEXICON
            .iter()
            .map(|(word, valence)| (word.to_lowercase(), *valence as f32))
            // Emoticons do not survive cleaning.
            .filter(|(word, _)| word.chars().all(char::is_alphabetic) && word.chars().count() > 1)
            .collect();
        Self { words }
    }

    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// Where the model finds each word, alone and negated, and what valence it has there.
    pub(crate) fn valences(&self) -> Vec<(Feature, f32)> {
        let places = |(word, valence): (&String, &f32)| {
            [(features(word)[0], *valence), (features(&format!("not {word}"))[1], NEGATED * valence)]
        };
        self.words.iter().flat_map(places).collect()
    }

    /// Samples made of the lexicon: each word alone, negated ("not bad" is faint praise) and among words without valence;
    /// then words and pieces of the corpus without any valence.
    pub(crate) fn samples(&self, corpus: &[Sample], random: &mut Random) -> Vec<Sample> {
        let fillers: Vec<&str> = corpus.iter().flat_map(|sample| self.runs(&sample.text)).flatten().collect();
        let mut samples = Vec::new();
        for (word, valence) in &self.words {
            samples.extend(sample(word, *valence));
            samples.extend(sample(&format!("not {word}"), NEGATED * valence));
            for _ in 0..SENTENCES_PER_WORD {
                let mut sentence = sentence(&fillers, random);
                sentence.insert(random.below(sentence.len() + 1), word);
                samples.extend(sample(&sentence.join(" "), *valence));
            }
        }
        let mut seen = BTreeMap::<String, usize>::new();
        for word in &fillers {
            *seen.entry(word.to_lowercase()).or_default() += 1;
        }
        samples.extend(
            seen.iter().filter(|(_, seen)| **seen >= PLAIN_WORD).filter_map(|(word, _)| sample(word, 0.0)),
        );
        for run in corpus.iter().flat_map(|sample| self.runs(&sample.text)) {
            if run.len() >= SHORTEST_RUN && random.below(100) < PLAIN_RUNS {
                samples.extend(sample(&run.join(" "), 0.0));
            }
        }
        samples
    }

    /// The longest pieces of a text in which no word has a valence or is a negation.
    fn runs<'a>(&self, text: &'a str) -> Vec<Vec<&'a str>> {
        let words: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let plain = |word: &str| {
            let word = word.to_lowercase();
            !self.words.contains_key(&word) && !NEGATIONS.contains(&word.as_str())
        };
        words.split(|word| !plain(word)).filter(|run| !run.is_empty()).map(<[_]>::to_vec).collect()
    }
}

fn sample(text: &str, valence: f32) -> Option<Sample> {
    let text = clean(text).ok()?.cleaned_text;
    Some(Sample { text, target: target(valence), weight: WEIGHT })
}

fn sentence<'a>(fillers: &[&'a str], random: &mut Random) -> Vec<&'a str> {
    (0..4 + random.below(9)).map(|_| fillers[random.below(fillers.len())]).collect()
}

/// Shares of positive, neutral and negative for a valence; at 1.5, a mild word, hardly any neutral is left.
fn target(valence: f32) -> [f32; 3] {
    let strong = (valence.abs() / 1.5).min(0.95);
    let (neutral, opposite) = (0.9 * (1.0 - strong), 0.1 * (1.0 - strong));
    if valence == 0.0 {
        [0.05, 0.9, 0.05]
    } else if valence > 0.0 {
        [strong, neutral, opposite]
    } else {
        [opposite, neutral, strong]
    }
}
