//! How durable the store is, and how large it may be.

/// What survives what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// What was acknowledged survives a power cut: each group is synced to the disk (SQLite: `synchronous=FULL`).
    #[default]
    Full,
    /// What was acknowledged survives the end of the process, but the last of it may not survive a power cut (SQLite:
    /// `synchronous=NORMAL`).
    Process,
}

/// Settings of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct SqliteOptions {
    /// What survives what.
    pub durability: Durability,
    /// The database takes no more bytes than this (about; whole pages of 4096 bytes). `None`: as many as the disk has.
    pub max_bytes: Option<u64>,
}

impl SqliteOptions {
    /// Full durability, and no other bound than the disk.
    pub const fn new() -> Self {
        Self { durability: Durability::Full, max_bytes: None }
    }

    /// Sets what survives what.
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Bounds the database.
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }
}
