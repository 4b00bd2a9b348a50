//! Records addressed by small keys that notice when their record is gone.
//!
//! The queue, the timers and the workers' lists point at records by key and are not searched when a record goes: a key whose
//! record is gone, or is another one by now, simply finds nothing.

/// Points at a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    slot: u32,
    generation: u32,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// Records per page.
const PAGE: usize = 1024;

#[derive(Debug)]
pub(super) struct Arena<T> {
    /// Pages instead of one vector: growing does not move the records that are there.
    pages: Vec<Vec<Slot<T>>>,
    free: Vec<u32>,
    len: usize,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), free: Vec::new(), len: 0 }
    }
}

impl<T> Arena<T> {
    /// # Panics
    /// With more than four billion records.
    pub(super) fn insert(&mut self, value: T) -> Key {
        self.len += 1;
        if let Some(slot) = self.free.pop() {
            let entry = self.slot_mut(slot);
            entry.value = Some(value);
            return Key { slot, generation: entry.generation };
        }
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        let before = (self.pages.len() - 1) * PAGE;
        // A page was just made sure of.
        let Some(page) = self.pages.last_mut() else { unreachable!() };
        let slot = u32::try_from(before + page.len()).unwrap_or_else(|_| panic!("too many jobs in memory"));
        page.push(Slot { generation: 0, value: Some(value) });
        Key { slot, generation: 0 }
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        let slot = &self.pages[key.slot as usize / PAGE][key.slot as usize % PAGE];
        if slot.generation == key.generation { slot.value.as_ref() } else { None }
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slot_mut(key.slot);
        if slot.generation == key.generation { slot.value.as_mut() } else { None }
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.slot_mut(key.slot);
        if slot.generation != key.generation {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(key.slot);
        self.len -= 1;
        Some(value)
    }

    /// All records, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten().filter_map(|slot| slot.value.as_ref())
    }

    fn slot_mut(&mut self, slot: u32) -> &mut Slot<T> {
        &mut self.pages[slot as usize / PAGE][slot as usize % PAGE]
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_find_the_next_tenant() {
        let mut arena = Arena::default();
        let (a, b) = (arena.insert("a"), arena.insert("b"));
        assert_eq!((arena.get(a), arena.get(b), arena.len()), (Some(&"a"), Some(&"b"), 2));
        assert_eq!(arena.remove(a), Some("a"));
        let c = arena.insert("c");
        assert!(arena.get(a).is_none() && arena.get_mut(a).is_none() && arena.remove(a).is_none());
        assert_eq!((arena.get(c), arena.len()), (Some(&"c"), 2));
    }

    #[test]
    fn pages_are_seamless() {
        let mut arena = Arena::default();
        let keys: Vec<_> = (0..3 * PAGE + 1).map(|n| arena.insert(n)).collect();
        for (n, key) in keys.iter().enumerate() {
            assert_eq!(arena.get(*key), Some(&n));
        }
        assert_eq!((arena.len(), arena.pages.len()), (3 * PAGE + 1, 4));
        assert_eq!(arena.remove(keys[PAGE]), Some(PAGE));
        arena.insert(7);
        assert_eq!((arena.len(), arena.pages.len()), (3 * PAGE + 1, 4), "what was given back is used first");
    }
}
