//! Ports for HTTP workers.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// A loopback port that is free now. Somebody else may be faster than the worker, which then can not bind, exits, and is
/// started again with another port.
pub(super) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
