//! Several processes: the example's own binary, the local platform, real queues.

mod faults;
mod linking;
mod mixed;
mod processes;
mod readme;
