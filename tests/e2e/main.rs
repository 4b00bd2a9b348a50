//! Several processes.

mod linking;
