use serde::{Deserialize, Serialize};

/// What a text expresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// Praise, joy, agreement.
    Positive,
    /// Neither; facts and questions.
    Neutral,
    /// Blame, anger, sadness.
    Negative,
}

impl Label {
    /// Every label in the order of every answer: positive, neutral, negative.
    pub const ALL: [Self; 3] = [Self::Positive, Self::Neutral, Self::Negative];
}

/// One label and how sure the model is of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The label.
    pub label: Label,
    /// Probability from 0 to 1.
    pub confidence: f64,
}
