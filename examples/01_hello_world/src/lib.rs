//! One function on a GPU endpoint, which tells what GPU it runs on.

pub mod gpu;
