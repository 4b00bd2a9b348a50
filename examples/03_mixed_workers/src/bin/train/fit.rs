use mixed_workers::model::{BUCKETS, CLASSES, Feature, Weights, features};

use crate::{corpus::Sample, random::Random, table::Table};

const EPOCHS: usize = 6;
const LEARNING_RATE: f32 = 0.05;
/// How strongly each weight is pulled to where it began, so that rare words decide nothing.
const DECAY: f32 = 0.1;
/// What one unit of valence is worth before training.
const PRIOR: f32 = 0.35;
/// Stronger words begin no higher than this.
const PRIOR_LIMIT: f32 = 2.5;

/// Parameters in training.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) bias: [f32; CLASSES],
    pub(crate) rows: Vec<[f32; CLASSES]>,
}

impl Model {
    fn shares(&self, buckets: &[usize], value: f32, temperature: f32) -> [f32; CLASSES] {
        let mut scores = self.bias;
        for bucket in buckets {
            for (score, weight) in scores.iter_mut().zip(self.rows[*bucket]) {
                *score += value * weight;
            }
        }
        softmax(scores.map(|score| score / temperature))
    }
}

/// A sample as the model sees it.
struct Seen<'a> {
    buckets: Vec<usize>,
    value: f32,
    sample: &'a Sample,
}

fn see<'a>(table: &Table, sample: &'a Sample) -> Seen<'a> {
    let features = features(&sample.text);
    Seen { buckets: table.read(&features), value: Weights::damping(features.len()) as f32, sample }
}

/// Minimises the weighted cross entropy by stochastic gradient descent with a learning rate per weight (AdaGrad).
///
/// A word with a valence begins where the lexicon puts it, and every other feature at 0: the corpus moves what it knows
/// about, the rest stays.
pub(crate) fn fit(
    table: &Table,
    samples: &[Sample],
    valences: &[(Feature, f32)],
    random: &mut Random,
) -> Model {
    let mut seen: Vec<Seen<'_>> = samples.iter().map(|sample| see(table, sample)).collect();
    let mut prior = vec![[0.0; CLASSES]; BUCKETS];
    for (feature, valence) in valences {
        for bucket in table.read(&[*feature]) {
            let score = PRIOR * valence.clamp(-PRIOR_LIMIT, PRIOR_LIMIT);
            prior[bucket] = [score, -score.abs(), -score];
        }
    }
    let mut model = Model { bias: [0.0; CLASSES], rows: prior.clone() };
    let mut bias_squares = [1.0f32; CLASSES];
    let mut squares = vec![[0.1f32; CLASSES]; BUCKETS];
    for _ in 0..EPOCHS {
        random.shuffle(&mut seen);
        for Seen { buckets, value, sample } in &seen {
            let shares = model.shares(buckets, *value, 1.0);
            for class in 0..CLASSES {
                let slope = (shares[class] - sample.target[class]) * sample.weight;
                step(&mut model.bias[class], &mut bias_squares[class], slope);
                for bucket in buckets {
                    let weight = &mut model.rows[*bucket][class];
                    let slope = slope * value + DECAY * (*weight - prior[*bucket][class]);
                    step(weight, &mut squares[*bucket][class], slope);
                }
            }
        }
    }
    model
}

fn step(weight: &mut f32, squares: &mut f32, slope: f32) {
    *squares += slope * slope;
    *weight -= LEARNING_RATE * slope / squares.sqrt();
}

/// The number to divide the scores by so that a confidence of 0.8 is right in about 8 of 10 unseen texts: the one of least
/// cross entropy.
pub(crate) fn temperature(model: &Model, table: &Table, samples: &[Sample]) -> f32 {
    let seen: Vec<Seen<'_>> = samples.iter().map(|sample| see(table, sample)).collect();
    let loss = |temperature: f32| -> f64 {
        seen.iter()
            .map(|Seen { buckets, value, sample }| {
                let shares = model.shares(buckets, *value, temperature);
                let loss: f32 = shares
                    .iter()
                    .zip(sample.target)
                    .map(|(share, target)| -target * share.max(1e-9).ln())
                    .sum();
                f64::from(loss * sample.weight)
            })
            .sum()
    };
    (5..=60)
        .map(|step| step as f32 * 0.05)
        .map(|temperature| (temperature, loss(temperature)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(1.0, |(temperature, _)| temperature)
}

fn softmax(scores: [f32; CLASSES]) -> [f32; CLASSES] {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers = scores.map(|score| (score - largest).exp());
    let sum: f32 = powers.iter().sum();
    powers.map(|power| power / sum)
}
