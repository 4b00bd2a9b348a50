//! The life of one job, as a pure function: `(job, event, now) -> effects`. No clock, no lock, no I/O.
//!
//! ```text
//!             taken             completed, failed
//! IN_QUEUE ----------> IN_PROGRESS ----------> COMPLETED | FAILED
//!    ^  \                |   |  \ overdue
//!    |   \ cancelled     |   |   `-----------> TIMED_OUT
//!    |    `-----------.  |   | worker lost: once back to the queue, then FAILED
//!    |                 v v   |
//!    |              CANCELLED|
//!    `-----------------------'   `FAILED` and `TIMED_OUT` go back to the queue when the caller retries
//! ```
//!
//! A terminal state is entered once and never overwritten, except by an explicit retry. When its ttl or, after its end, its
//! retention is over, a job is removed.

mod effects;
mod event;
mod rules;
mod state;

pub use effects::{Effects, Outcome, Place, Verdict};
pub use event::Event;
pub use rules::Rules;
pub use state::{JobState, Terms};
