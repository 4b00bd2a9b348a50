//! Finds a record by its job's id.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use flash_core::ids::JobId;

use super::arena::{Arena, Key};
use super::record::Record;

/// From hash to key. The ids themselves are in the records only: a table of ids would read each of them again, all over the
/// memory, whenever it grows.
#[derive(Debug, Default)]
pub(super) struct Index {
    secret: RandomState,
    keys: HashMap<u64, Key, BuildHasherDefault<AsItIs>>,
    /// Ids whose hash another id has. In practice there are none.
    collided: HashMap<JobId, Key>,
}

impl Index {
    /// Adds a job whose record is in `jobs` already.
    pub(super) fn insert(&mut self, id: &JobId, key: Key) {
        self.insert_hashed(self.secret.hash_one(id.as_str()), id, key);
    }

    pub(super) fn get(&self, id: &JobId, jobs: &Arena<Record>) -> Option<Key> {
        self.get_hashed(self.secret.hash_one(id.as_str()), id, jobs)
    }

    /// Removes a job whose record had this key.
    pub(super) fn remove(&mut self, id: &JobId, key: Key) {
        self.remove_hashed(self.secret.hash_one(id.as_str()), id, key);
    }

    fn insert_hashed(&mut self, hash: u64, id: &JobId, key: Key) {
        if let Some(other) = self.keys.insert(hash, key) {
            self.keys.insert(hash, other);
            self.collided.insert(id.clone(), key);
        }
    }

    fn get_hashed(&self, hash: u64, id: &JobId, jobs: &Arena<Record>) -> Option<Key> {
        let found = self.keys.get(&hash).copied();
        match found.filter(|key| jobs.get(*key).is_some_and(|job| job.id == *id)) {
            Some(key) => Some(key),
            None if self.collided.is_empty() => None,
            None => self.collided.get(id).copied(),
        }
    }

    fn remove_hashed(&mut self, hash: u64, id: &JobId, key: Key) {
        if self.keys.get(&hash) == Some(&key) {
            self.keys.remove(&hash);
        } else {
            self.collided.remove(id);
        }
    }
}

/// The hasher of keys that are hashes.
#[derive(Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only hashes are hashed");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flash_core::clock::Timestamp;

    use super::*;
    use crate::machine::Terms;
    use crate::store::NewJob;

    #[test]
    fn ids_of_the_same_hash_are_told_apart() {
        let (mut jobs, mut index) = (Arena::default(), Index::default());
        let terms = Terms {
            execution_timeout: Duration::ZERO,
            ttl: Duration::ZERO,
            retention: Duration::ZERO,
            low_priority: false,
        };
        let mut add = |id: &str| {
            let job = NewJob { id: id.into(), input: None, attached: None, terms };
            jobs.insert(Record::new(job, 0, Timestamp::default()))
        };
        let ids = ["a", "b", "c"].map(JobId::from);
        let keys = ["a", "b", "c"].map(&mut add);
        for (id, key) in ids.iter().zip(keys) {
            index.insert_hashed(7, id, key);
        }
        let find = |index: &Index, id: &JobId| index.get_hashed(7, id, &jobs);
        for (id, key) in ids.iter().zip(keys) {
            assert_eq!(find(&index, id), Some(key));
        }
        assert_eq!(find(&index, &"d".into()), None);
        index.remove_hashed(7, &ids[0], keys[0]);
        assert_eq!(ids.each_ref().map(|id| find(&index, id).is_some()), [false, true, true]);
        index.remove_hashed(7, &ids[1], keys[1]);
        assert_eq!(ids.each_ref().map(|id| find(&index, id).is_some()), [false, false, true]);
    }
}
