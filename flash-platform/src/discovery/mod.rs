//! Where the endpoints of an app are: what the environment says, what the platform's State Manager says, or its gateway.

mod kept;
mod peers;
mod snapshot;
mod state_manager;

pub use peers::{Finder, Gateway, Peer, Peers};
pub use state_manager::StateManager;
