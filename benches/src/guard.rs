//! Work whose end another process sees: it tells by a datagram when it begins and when it is dropped.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::UdpSocket;

use crate::clock::unix_ns;

/// The variable with the UDP port on the loopback interface that hears of the guards.
pub const PORT_VARIABLE: &str = "BENCH_GUARD_PORT";

/// Held by work for as long as it exists.
///
/// Sends `began NAME NS` at once, and `dropped NAME NS` or, after [`released`](Self::released), `finished NAME NS` when it is
/// dropped; `NS` are nanoseconds since the Unix epoch. The time is taken within the dropping process, so the datagram's own way
/// is no part of it.
#[derive(Debug)]
pub struct Guard {
    socket: UdpSocket,
    name: String,
    released: bool,
}

impl Guard {
    /// Tells that the work of this name began.
    ///
    /// # Errors
    /// When [`PORT_VARIABLE`] is no port, or the datagram cannot be sent.
    pub async fn begin(name: &str) -> io::Result<Self> {
        let port = std::env::var(PORT_VARIABLE).ok().and_then(|port| port.parse().ok());
        let port = port.ok_or_else(|| io::Error::other(format!("{PORT_VARIABLE} is no port")))?;
        Self::connect(name, port).await
    }

    async fn connect(name: &str, port: u16) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        socket.connect((Ipv4Addr::LOCALHOST, port)).await?;
        socket.send(format!("began {name} {}", unix_ns()).as_bytes()).await?;
        Ok(Self { socket, name: name.to_owned(), released: false })
    }

    /// Waits until the other process sends anything back.
    ///
    /// # Errors
    /// When the socket breaks.
    pub async fn released(&mut self) -> io::Result<()> {
        self.socket.recv(&mut [0; 16]).await?;
        self.released = true;
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let end = if self.released { "finished" } else { "dropped" };
        // Whoever measures misses a datagram that could not be sent, and says so.
        let _ = self.socket.try_send(format!("{end} {} {}", self.name, unix_ns()).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn heard(socket: &UdpSocket) -> (String, std::net::SocketAddr) {
        let mut buffer = [0; 128];
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let (words, ns) = text.rsplit_once(' ').unwrap();
        assert!(ns.parse::<u64>().unwrap() <= unix_ns());
        (words.to_owned(), from)
    }

    #[tokio::test]
    async fn its_beginning_and_its_end_are_told() {
        let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(Guard::connect("a", port).await.unwrap());
        assert_eq!(heard(&listener).await.0, "began a");
        assert_eq!(heard(&listener).await.0, "dropped a");
        let mut guard = Guard::connect("b", port).await.unwrap();
        let (began, from) = heard(&listener).await;
        assert_eq!(began, "began b");
        listener.send_to(b"go", from).await.unwrap();
        guard.released().await.unwrap();
        drop(guard);
        assert_eq!(heard(&listener).await.0, "finished b");
    }
}
