//! What machine this is, and how much of it this process may use.

mod cgroup;
mod info;

pub use cgroup::{CgroupError, Limits};
pub use info::{CpuError, CpuInfo};
