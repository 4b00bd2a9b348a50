//! What is to be done about the workers of an endpoint: a pure function.

use flash_core::ids::WorkerId;

/// How far a worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It is on its way.
    Coming,
    /// It takes jobs or requests.
    Ready,
    /// It is broken, or asked for a new start.
    Done,
    /// It was asked to go.
    Going,
}

/// A worker as the decision sees it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) id: WorkerId,
    pub(super) stage: Stage,
    /// Whether it was started from the plan in force.
    pub(super) current: bool,
    /// Whether it has a job or a request.
    pub(super) busy: bool,
    /// Whether it has had nothing to do for longer than the idle timeout.
    pub(super) expired: bool,
}

/// How many workers there should be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// What the scaler asks for.
    pub(super) asked: usize,
    pub(super) min: usize,
    pub(super) max: usize,
}

/// What to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    /// Workers to start.
    pub(super) start: usize,
    /// Workers that get no more work and end when they have finished what they have.
    pub(super) drain: Vec<WorkerId>,
}

/// New workers are ready before old ones go. A worker that expired goes unless it is asked for, and those that have
/// nothing to do go first.
pub(super) fn decide(workers: &[Seen], wanted: Wanted) -> Decision {
    let stays = |seen: &&Seen| matches!(seen.stage, Stage::Coming | Stage::Ready);
    let (current, old): (Vec<_>, Vec<_>) = workers.iter().filter(stays).partition(|seen| seen.current);
    // The new ones take the places of the old ones: they do not count twice.
    let lively = |of: &[&Seen]| of.iter().filter(|seen| !seen.expired).count();
    let target = wanted.asked.max(lively(&current)).max(lively(&old)).max(wanted.min).min(wanted.max);

    let mut decision = Decision { start: target.saturating_sub(current.len()), drain: Vec::new() };
    // Broken ones are replaced: what they leave open is in `start` already.
    decision
        .drain
        .extend(workers.iter().filter(|seen| seen.stage == Stage::Done).map(|seen| seen.id.clone()));
    let ready = current.iter().filter(|seen| seen.stage == Stage::Ready).count();
    drain(&mut decision, &old, old.len().saturating_sub(target.saturating_sub(ready)));
    drain(&mut decision, &current, current.len().saturating_sub(target));
    decision
}

/// Lets `count` workers go: those first that are on their way or expired, then idle ones, and busy ones last.
fn drain(decision: &mut Decision, from: &[&Seen], count: usize) {
    let mut order = from.to_vec();
    order.sort_by_key(|seen| (seen.busy, seen.stage == Stage::Ready && !seen.expired));
    decision.drain.extend(order.into_iter().take(count).map(|seen| seen.id.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `c`urrent or `o`ld; `.` coming, `r`eady, `b`usy, `x` expired, `d`one, `g`oing.
    fn seen(text: &str) -> Vec<Seen> {
        let one = |(at, word): (usize, &str)| {
            let (release, stage) = word.split_at(1);
            let stage_of = |stage| match stage {
                "." => Stage::Coming,
                "d" => Stage::Done,
                "g" => Stage::Going,
                _ => Stage::Ready,
            };
            Seen {
                id: WorkerId::from(format!("{at}{word}")),
                stage: stage_of(stage),
                current: release == "c",
                busy: stage == "b",
                expired: stage == "x",
            }
        };
        text.split_whitespace().enumerate().map(one).collect()
    }

    fn decided(workers: &str, asked: usize, min: usize, max: usize) -> (usize, Vec<String>) {
        let Decision { start, drain } = decide(&seen(workers), Wanted { asked, min, max });
        (start, drain.iter().map(|id| id.as_str()[1..].to_owned()).collect())
    }

    #[test]
    fn the_bounds_hold() {
        assert_eq!(decided("", 0, 2, 3), (2, vec![]));
        assert_eq!(decided("", 9, 0, 3), (3, vec![]));
        assert_eq!(decided("cr cb", 9, 0, 3), (1, vec![]));
        assert_eq!(decided("cr cb cr cr", 0, 0, 3), (0, vec!["cr".to_owned()]));
        assert_eq!(decided("cr cb", 0, 0, 0), (0, vec!["cr".to_owned(), "cb".to_owned()]));
    }

    #[test]
    fn idle_workers_go_when_their_time_is_over_and_nobody_asks_for_them() {
        assert_eq!(decided("cx cr", 0, 0, 3), (0, vec!["cx".to_owned()]));
        assert_eq!(decided("cx cr", 0, 2, 3), (0, vec![]));
        assert_eq!(decided("cx cx", 1, 0, 3), (0, vec!["cx".to_owned()]));
        assert_eq!(decided("cb cx", 2, 0, 3), (0, vec![]));
    }

    #[test]
    fn a_release_starts_new_workers_before_old_ones_go() {
        assert_eq!(decided("or ob", 0, 2, 2), (2, vec![]), "both new ones come first");
        assert_eq!(decided("or ob c. c.", 0, 2, 2), (0, vec![]), "they are not ready");
        assert_eq!(decided("or ob cr c.", 0, 2, 2), (0, vec!["or".to_owned()]), "one for one");
        assert_eq!(decided("og ob cr cr", 0, 2, 2), (0, vec!["ob".to_owned()]));
        assert_eq!(decided("or c.", 0, 1, 5), (0, vec![]), "one takes the place of one");
        assert_eq!(decided("ox", 0, 0, 2), (0, vec!["ox".to_owned()]), "nobody asks for a new one");
    }

    #[test]
    fn a_broken_worker_is_replaced() {
        assert_eq!(decided("cd cr", 0, 2, 2), (1, vec!["cd".to_owned()]));
        assert_eq!(decided("cg cr", 0, 2, 2), (1, vec![]), "one that goes does not count");
    }
}
