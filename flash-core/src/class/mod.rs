//! Stateful workers: a type whose instances live as long as the worker, and whose methods are remote functions.
//!
//! A method is a function like any other: `#[remote]` implements [`Remote`](crate::Remote) for it, with the constructor
//! arguments as one more argument and the instance as one more thing that is supplied. So there is one way from a door to
//! the user's code, and nothing outside of this module knows of instances.

mod canonical;
mod declared;
mod init;
mod instances;

pub use declared::{Callee, Class, ClassMeta, Constructor, Constructs, Exit, MethodOf, exited};
pub use init::{InitArgs, InitCarrier, Instances, init_slot};
pub(crate) use instances::Cache;
pub use instances::{Instance, MAX_INSTANCES};
