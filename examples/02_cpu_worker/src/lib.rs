//! One function on a CPU endpoint, which tells what machine it runs on.

pub mod cpu;
