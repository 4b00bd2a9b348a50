//! Behaviour inside of one process: the whole app on a free port, real HTTP.

mod calls;
mod client;
mod http;
mod queue;
mod roles;
mod startup;
mod worker;
