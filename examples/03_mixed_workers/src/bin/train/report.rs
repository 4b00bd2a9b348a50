use std::fmt;

use mixed_workers::model::{CLASSES, Weights, features};

use crate::corpus::{LABELS, Sample, winner};

/// How the finished weights do on texts they have not seen.
#[derive(Debug)]
pub(crate) struct Report {
    /// Rows: the label; columns: the answer.
    counts: [[usize; CLASSES]; CLASSES],
}

impl Report {
    pub(crate) fn of(model: &Weights, samples: &[Sample]) -> Self {
        let mut counts = [[0; CLASSES]; CLASSES];
        for sample in samples {
            let scores = model.scores(&features(&sample.text)).map(|score| score as f32);
            counts[winner(&sample.target)][winner(&scores)] += 1;
        }
        Self { counts }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        let total: usize = self.counts.iter().flatten().sum();
        let right: usize = (0..CLASSES).map(|class| self.counts[class][class]).sum();
        let largest = self.counts.iter().map(|row| row.iter().sum::<usize>()).max().unwrap_or_default();
        let recalls = self.counts.iter().enumerate().map(|(class, row)| share(row[class], row.iter().sum()));
        let recalls: Vec<f64> = recalls.collect();
        writeln!(f, "accuracy {:.1} %, majority class {:.1} %", share(right, total), share(largest, total))?;
        write!(
            f,
            "balanced accuracy    {:.1} % (chance 33.3 %)",
            recalls.iter().sum::<f64>() / CLASSES as f64
        )?;
        for (name, (row, recall)) in LABELS.iter().zip(self.counts.iter().zip(recalls)) {
            write!(f, "\n  {name:<9} found {recall:.1} %, answered {row:?}")?;
        }
        Ok(())
    }
}
