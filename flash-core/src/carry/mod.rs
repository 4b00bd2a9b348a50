//! How the types of a function travel, as values of `dyn Trait`.
//!
//! The expansion of `#[remote]` could ask `T: Payload` wherever it reads, writes or describes a parameter. A type that
//! is no payload would then be as many compile errors, each with a note about a bound deep in this crate. So it makes one
//! coercion for each type instead, such as `&Json` to `&dyn Carries<T>`: rustc reports that in our words, at the user's
//! type, in ten lines (compile-fail tests in `flash/tests/ui` hold it to that), and everything behind it has no bounds.

mod answer;
mod injected;
mod slot;

pub(crate) use answer::Carrier;
pub use answer::{Answer, CarriesError, CarriesReply, Returned, Returns};
pub(crate) use answer::{AnyReturns, Written};
pub use injected::{Injected, Injector, Needs, Supplies, injected};
pub(crate) use slot::{AnySlot, ReadAhead};
pub use slot::{Carries, Slot, slot};

/// Carries parameters, results and errors.
#[derive(Debug, Clone, Copy)]
pub struct Json;
