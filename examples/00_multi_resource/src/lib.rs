//! Two queues and an HTTP endpoint that asks both at the same time.

pub mod api;
pub mod axis;
pub mod rows;
pub mod summary;
