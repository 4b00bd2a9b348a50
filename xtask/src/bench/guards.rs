//! Hears from work in a measured program when it began and when it was dropped (`benches/src/guard.rs`).

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use crate::Result;

/// The variable that tells the program where to send; as in `benches/src/guard.rs`.
pub(crate) const PORT_VARIABLE: &str = "BENCH_GUARD_PORT";
/// Far longer than any limit that is measured.
const PATIENCE: Duration = Duration::from_secs(10);

/// The end of the datagrams.
#[derive(Debug)]
pub(crate) struct Guards {
    socket: UdpSocket,
}

/// One datagram.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// `began`, `dropped` or `finished`.
    pub(crate) what: String,
    /// The work's name.
    pub(crate) name: String,
    /// When, in nanoseconds since the Unix epoch.
    pub(crate) unix_ns: u64,
    /// Where the work can be answered.
    pub(crate) from: SocketAddr,
}

impl Guards {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn listen() -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { socket })
    }

    /// The variable with which the program finds this.
    ///
    /// # Errors
    /// When the socket is broken.
    pub(crate) fn variable(&self) -> Result<(&'static str, String)> {
        Ok((PORT_VARIABLE, self.socket.local_addr()?.port().to_string()))
    }

    /// The next datagram, which has to tell this.
    ///
    /// # Errors
    /// When it tells something else, or none arrives within 10 s.
    pub(crate) fn next(&self, what: &str) -> Result<Told> {
        let mut buffer = [0; 256];
        let (length, from) = self
            .socket
            .recv_from(&mut buffer)
            .map_err(|error| format!("nobody told that work {what}: {error}"))?;
        let text = String::from_utf8_lossy(&buffer[..length]);
        let told = read(&text, from).ok_or_else(|| format!("no guard says `{text}`"))?;
        if told.what == what {
            Ok(told)
        } else {
            Err(format!("work should have {what}, but `{text}`").into())
        }
    }

    /// Lets work go that waits for it.
    ///
    /// # Errors
    /// When the datagram cannot be sent.
    pub(crate) fn release(&self, work: &Told) -> Result<()> {
        self.socket.send_to(b"go", work.from)?;
        Ok(())
    }
}

fn read(text: &str, from: SocketAddr) -> Option<Told> {
    let mut words = text.split(' ');
    let (what, name, unix_ns) = (words.next()?.to_owned(), words.next()?.to_owned(), words.next()?);
    Some(Told { what, name, unix_ns: unix_ns.parse().ok()?, from })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_work_tells_is_read_and_answered() {
        let guards = Guards::listen().expect("a socket");
        let work = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let to = guards.socket.local_addr().expect("an address");
        work.send_to(b"began 3 42", to).expect("loopback");
        let told = guards.next("began").expect("it began");
        assert_eq!((told.name.as_str(), told.unix_ns), ("3", 42));
        guards.release(&told).expect("loopback");
        assert_eq!(work.recv(&mut [0; 8]).expect("an answer"), 2);
        work.send_to(b"finished 3 43", to).expect("loopback");
        let error = guards.next("dropped").expect_err("it finished").to_string();
        assert!(error.contains("finished 3 43"), "{error}");
    }
}
