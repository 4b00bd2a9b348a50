//! The order of interleaved measurements.

/// Every round measures every target once, each second round in reverse: A B, B A, A B, …
///
/// What drifts while a benchmark runs then hits all targets alike. Yields the targets' numbers, round by round.
pub(crate) fn interleaved(targets: usize, rounds: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..rounds).map(move |round| {
        let mut order: Vec<usize> = (0..targets).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        order
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_round_is_reversed() {
        let rounds: Vec<_> = interleaved(3, 3).collect();
        assert_eq!(rounds, [vec![0, 1, 2], vec![2, 1, 0], vec![0, 1, 2]]);
    }
}
