//! Behaviour inside of one process: the whole app on a free port, real HTTP.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod calls;
mod classes;
mod client;
mod connections;
mod deployed;
mod discovery;
mod events;
mod http;
mod jobs;
mod manifests;
mod outbox;
mod python_requests;
mod queue;
mod recording_queue;
mod remote_jobs;
mod roles;
mod startup;
mod streams;
mod untyped;
mod web;
mod worker;
mod worker_faults;
