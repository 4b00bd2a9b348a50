use std::{collections::BTreeMap, error::Error, path::Path};

use mixed_workers::model::CLASSES;
use mixed_workers::text::clean;
use sha2::{Digest, Sha256};

use crate::{hex, random::Random};

/// A text and what it should be classified as.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Cleaned, as the pipeline does it.
    pub(crate) text: String,
    /// Share of each class, in the order of the labels; they sum to 1.
    pub(crate) target: [f32; CLASSES],
    /// How much the sample counts.
    pub(crate) weight: f32,
}

/// The labelled tweets, in three parts that share no text.
#[derive(Debug)]
pub(crate) struct Corpus {
    pub(crate) sha256: String,
    pub(crate) rows: usize,
    /// 80 %.
    pub(crate) train: Vec<Sample>,
    /// 10 %.
    pub(crate) calibrate: Vec<Sample>,
    /// 10 %.
    pub(crate) test: Vec<Sample>,
}

/// What the corpus calls the classes, in the order of the labels.
pub(crate) const LABELS: [&str; CLASSES] = ["positive", "neutral", "negative"];

/// The corpus joins several collections, each about one subject, and two of three tweets about airlines blame them. Unless
/// that is balanced, a model learns that the word "flight" is an insult.
const SUBJECTS: [(&str, &[&str]); 6] = [
    ("airlines", &["@united", "@usairways", "@americanair", "@southwestair", "@jetblue", "@virginamerica"]),
    ("apple", &["apple", "aapl"]),
    ("football", &["deflate", "superbowl", "patriots", "belichick"]),
    ("cars", &["driverless", "self-driving", "self driving", "selfdriving", "autonomous", "google"]),
    ("festival", &["coachella"]),
    ("allergies", &["claritin", "zyrtec", "allegra", "allerg", "benadryl"]),
];

/// A combination of subject and class that is rare counts at most this much more than its share.
const BALANCE_LIMIT: f32 = 4.0;

impl Corpus {
    pub(crate) fn read(path: &Path, random: &mut Random) -> Result<Self, Box<dyn Error>> {
        let bytes = std::fs::read(path)?;
        let sha256 = hex(&Sha256::digest(&bytes));
        // Many tweets were damaged before they were published: not all of the file is UTF-8.
        let (mut texts, mut rows) = (BTreeMap::<String, (usize, [f32; CLASSES])>::new(), 0);
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let mut record = csv::ByteRecord::new();
        while reader.read_byte_record(&mut record)? {
            rows += 1;
            let label = record.get(0).unwrap_or_default();
            let class = LABELS.iter().position(|name| name.as_bytes() == label);
            let class = class.ok_or_else(|| format!("row {rows}: the first column is not a sentiment"))?;
            // How many of the people asked agreed; missing for two of the collections.
            let agreement: f32 = match record.get(1).map(str::from_utf8) {
                Some(Ok(number)) if !number.is_empty() => number.parse()?,
                _ => 0.8,
            };
            let raw = String::from_utf8_lossy(record.get(2).unwrap_or_default());
            let Ok(cleaned) = clean(&without_twitter(&raw)) else { continue };
            // Retweets are one text, or the held-out part would hold what was trained on.
            let entry = texts.entry(cleaned.cleaned_text).or_insert_with(|| (subject(&raw), [0.0; CLASSES]));
            entry.1[class] += agreement;
        }
        let mut counts = vec![[0.0f32; CLASSES]; SUBJECTS.len() + 1];
        for (subject, votes) in texts.values() {
            counts[*subject][winner(votes)] += 1.0;
        }
        let mut samples: Vec<Sample> = texts
            .into_iter()
            .map(|(text, (subject, votes))| {
                let count: f32 = counts[subject].iter().sum();
                let balance = (count / CLASSES as f32 / counts[subject][winner(&votes)]).min(BALANCE_LIMIT);
                let sum: f32 = votes.iter().sum();
                // One voice out of many copies is not many voices.
                Sample { text, target: votes.map(|vote| vote / sum), weight: balance * sum.min(1.0) }
            })
            .collect();
        random.shuffle(&mut samples);
        let tenth = samples.len() / 10;
        let test = samples.split_off(samples.len() - tenth);
        let calibrate = samples.split_off(samples.len() - tenth);
        Ok(Self { sha256, rows, train: samples, calibrate, test })
    }

    pub(crate) fn distinct(&self) -> usize {
        self.train.len() + self.calibrate.len() + self.test.len()
    }
}

/// Sentences of everyday life, none of them in the corpus. They helped to choose the settings of this program, so they
/// say less than the held-out part about the corpus, and more about everything else.
pub(crate) fn everyday() -> Result<Vec<Sample>, Box<dyn Error>> {
    let lines = include_str!("everyday.tsv").lines();
    lines
        .map(|line| {
            let (label, text) = line.split_once('\t').ok_or("expected a label and a text")?;
            let class = LABELS.iter().position(|name| *name == label).ok_or("expected a label")?;
            let target = std::array::from_fn(|other| f32::from(u8::from(other == class)));
            Ok(Sample { text: clean(text)?.cleaned_text, target, weight: 1.0 })
        })
        .collect()
}

/// The class with the most votes.
pub(crate) fn winner(votes: &[f32; CLASSES]) -> usize {
    (1..CLASSES).fold(0, |best, class| if votes[class] > votes[best] { class } else { best })
}

fn subject(text: &str) -> usize {
    let lower = text.to_lowercase();
    SUBJECTS
        .iter()
        .position(|(_, words)| words.iter().any(|word| lower.contains(word)))
        .unwrap_or(SUBJECTS.len())
}

/// Takes out what only tweets have: addresses, names of users, the retweet mark. A hashtag keeps its word.
fn without_twitter(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| {
        !word.contains("http")
            && !word.contains("t.co/")
            && !word.trim_start_matches('.').starts_with('@')
            && *word != "RT"
    });
    let text = words.collect::<Vec<_>>().join(" ");
    text.replace("&amp;", "and").replace("&lt;", " ").replace("&gt;", " ").replace('\u{fffd}', " ")
}
