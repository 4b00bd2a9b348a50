use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flash_core::boot::Boot;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use super::directory::{Directory, Leftover};
use super::record::Kept;
use super::segment::Segment;

/// How long what was delivered may still be on the disk.
const MOMENT: Duration = Duration::from_millis(5);

/// Keeps results on the disk while the queue does not have them. Trouble with the disk is told and costs no result:
/// they are in memory as well.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    segment: Option<Mutex<Segment>>,
    changed: Notify,
    /// So that a full disk is told once, not once for each result.
    is_told: std::sync::atomic::AtomicBool,
}

/// A result of a dead process, and its number in the file of this one.
pub(crate) type Inherited = (Option<u64>, Kept);

impl Spool {
    /// Opens the directory that `boot` names, and takes over what dead processes left in it: each result with its
    /// number in the file of this process.
    pub(crate) fn open(boot: &Boot) -> (Self, Vec<Inherited>) {
        let Some(path) = path(boot) else { return (Self::default(), Vec::new()) };
        match open(path.clone()) {
            Ok((segment, results)) => {
                (Self { segment: Some(Mutex::new(segment)), ..Self::default() }, results)
            }
            Err(error) => {
                tracing::warn!(
                    %error,
                    directory = %path.display(),
                    "results are kept in memory only, so they do not survive this process"
                );
                (Self::default(), Vec::new())
            }
        }
    }

    /// Writes results down. The numbers, one for each, say later which were delivered; there are none when they could
    /// not be written.
    pub(crate) fn append(&self, results: impl FnOnce() -> Vec<Kept>) -> Option<Vec<u64>> {
        let segment = self.segment.as_ref()?;
        match lock(segment).append(results()) {
            Ok(numbers) => Some(numbers),
            Err(error) => {
                self.tell(&error);
                None
            }
        }
    }

    /// The queue has this one, or will never take it. The file hears of it in [`run`](Self::run), for many at once.
    pub(crate) fn delivered(&self, number: u64) {
        if let Some(segment) = &self.segment {
            lock(segment).delivered(number);
            self.changed.notify_one();
        }
    }

    /// Keeps the file in step, with one write for all that was delivered within a moment. A process that dies in this
    /// moment leaves results that the queue has already; the queue ignores them when they come again.
    pub(crate) async fn run(&self) {
        let Some(segment) = &self.segment else { return };
        loop {
            self.changed.notified().await;
            // Emptying the file for each job would cost a worker with one slot as much as all its posts.
            tokio::time::sleep(MOMENT).await;
            let flushed = lock(segment).flush();
            if let Err(error) = flushed {
                self.tell(&error);
            }
        }
    }

    /// Takes the file away when nothing is left in it.
    pub(crate) fn close(&self) {
        let Some(segment) = &self.segment else { return };
        let mut segment = lock(segment);
        if let Err(error) = segment.flush() {
            self.tell(&error);
        }
        if segment.is_drained() {
            segment.remove();
        }
    }

    fn tell(&self, error: &std::io::Error) {
        if !self.is_told.swap(true, std::sync::atomic::Ordering::Relaxed) {
            tracing::warn!(%error, "results cannot be written down, so they do not survive this process");
        }
    }
}

fn lock(segment: &Mutex<Segment>) -> std::sync::MutexGuard<'_, Segment> {
    segment.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(path: PathBuf) -> std::io::Result<(Segment, Vec<Inherited>)> {
    let directory = Directory::open(path)?;
    let mut segment = directory.create()?;
    let leftovers = directory.leftovers()?;
    let mut results: Vec<Kept> = Vec::new();
    for kept in leftovers.iter().flat_map(|leftover| &leftover.results) {
        // A process that died while it took over leaves the same result twice.
        if !results.iter().any(|known| known.job == kept.job) {
            results.push(kept.clone());
        }
    }
    // Before they vanish from where they were.
    let numbers = match segment.append(results.clone()) {
        Ok(numbers) => numbers.into_iter().map(Some).collect(),
        Err(error) => {
            tracing::warn!(%error, "results of an earlier process are in memory only now");
            vec![None; results.len()]
        }
    };
    leftovers.into_iter().for_each(Leftover::remove);
    Ok((segment, numbers.into_iter().zip(results).collect()))
}

/// Below the directory of the environment, or a default when deployed, each endpoint has its own: a result must not
/// reach another queue.
fn path(boot: &Boot) -> Option<PathBuf> {
    let parent = match &boot.outbox_dir {
        Some(directory) if directory == Path::new("off") => return None,
        Some(directory) => directory.clone(),
        None if boot.endpoint_id.is_some() => std::env::temp_dir(),
        None => return None,
    };
    let digest = Sha256::digest(boot.jobs.done.as_deref()?);
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Some(parent.join(format!("flash-outbox-{name}")))
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::kept;
    use super::*;

    fn boot(directory: &Path, done: &str) -> Boot {
        let mut boot = Boot::default();
        boot.outbox_dir = Some(directory.to_owned());
        boot.jobs.done = Some(done.to_owned());
        boot
    }

    #[test]
    fn the_living_keep_their_results_and_a_dead_ones_go_to_one_process_of_the_same_queue() {
        let directory = tempfile::tempdir().unwrap();
        let here = boot(directory.path(), "http://q/a/$ID");
        let open = |boot: &Boot| {
            let (spool, inherited) = Spool::open(boot);
            (spool, inherited.into_iter().map(|(_, kept)| kept).collect::<Vec<_>>())
        };
        let (first, none) = open(&here);
        assert_eq!(none, []);
        let result = kept("j1", "x");
        assert_eq!(first.append(|| vec![result.clone()]).map(|numbers| numbers.len()), Some(1));
        let (second, of_second) = open(&here);
        assert_eq!(of_second, [], "the first one lives");
        // Dies without a word.
        drop(first);
        let (_elsewhere, of_other) = open(&boot(directory.path(), "http://q/b/$ID"));
        assert_eq!(of_other, [], "another queue");
        let (third, of_third) = open(&here);
        assert_eq!(of_third, [result]);
        let (fourth, of_fourth) = open(&here);
        assert_eq!(of_fourth, [], "the third one has it");
        // It is delivered, so nobody inherits it.
        third.delivered(1);
        lock(third.segment.as_ref().unwrap()).flush().unwrap();
        drop((third, fourth, second));
        assert_eq!(open(&here).1, []);
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_not_trusted() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let here = boot(directory.path(), "http://q/a/$ID");
        let (spool, _) = Spool::open(&here);
        assert!(spool.segment.is_some());
        let shared = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(path(&here).unwrap(), shared).unwrap();
        let (spool, _) = Spool::open(&here);
        assert!(spool.segment.is_none(), "results are in memory only");
        assert_eq!(spool.append(|| vec![kept("j1", "x")]), None);
    }

    #[test]
    fn the_directory_follows_the_environment() {
        let mut boot = boot(Path::new("/x"), "http://q/$ID");
        assert!(path(&boot).unwrap().starts_with("/x"));
        boot.outbox_dir = Some("off".into());
        assert_eq!(path(&boot), None);
        boot.outbox_dir = None;
        assert_eq!(path(&boot), None, "only a deployed worker has a default");
        boot.endpoint_id = Some("e".to_owned());
        assert!(path(&boot).unwrap().starts_with(std::env::temp_dir()));
    }
}
