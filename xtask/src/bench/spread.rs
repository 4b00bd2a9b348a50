//! The middle of a series of measurements and how far it scatters.

use std::fmt;

/// Median and quartiles of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// Of these values; zeros when there is none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |fraction: f64| {
            let Some(last) = values.len().checked_sub(1) else { return 0.0 };
            let place = fraction * last as f64;
            let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Self { low: at(0.25), median: at(0.5), high: at(0.75) }
    }

    /// Of ours divided by the peer's, round by round.
    pub(crate) fn ratio(ours: &[f64], peer: &[f64]) -> Self {
        Self::of(ours.iter().zip(peer).map(|(ours, peer)| ours / peer))
    }

    /// Ours minus the peer's, round by round.
    pub(crate) fn differences(ours: &[f64], peer: &[f64]) -> Vec<f64> {
        ours.iter().zip(peer).map(|(ours, peer)| ours - peer).collect()
    }

    /// Of ours minus the peer's, round by round.
    pub(crate) fn difference(ours: &[f64], peer: &[f64]) -> Self {
        Self::of(Self::differences(ours, peer))
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Three figures say more than the noise allows; a rate of thousands needs no decimals.
        let digits = match self.median.abs() {
            size if size >= 100.0 => 0,
            size if size >= 10.0 => 1,
            _ => 2,
        };
        write!(f, "{:.digits$} [{:.digits$}..{:.digits$}]", self.median, self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_quartiles() {
        let spread = Spread::of([5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!(spread, Spread { low: 2.0, median: 3.0, high: 4.0 });
        assert_eq!(Spread::of([1.0, 2.0]).median, 1.5);
        assert_eq!(Spread::of([]).median, 0.0);
    }

    #[test]
    fn ratios_are_made_within_a_round() {
        // The second round was slow for both, and that says nothing about either.
        let ratio = Spread::ratio(&[100.0, 10.0, 100.0], &[50.0, 5.0, 50.0]);
        assert_eq!(ratio, Spread { low: 2.0, median: 2.0, high: 2.0 });
        assert_eq!(Spread::difference(&[3.0, 4.0], &[1.0, 2.0]).median, 2.0);
        assert_eq!(ratio.to_string(), "2.00 [2.00..2.00]");
    }
}
