//! An HTTP worker as its clients see it: what they send, however bad, slow or many.

mod bodies;
mod client;
mod health;
mod limits;
mod overload;
mod refusals;
mod routers;
mod stopping;
mod streams;
mod who;
