//! Just enough of an HTTP client: it writes the same kind of bytes again and again and reads just enough of each answer, so that
//! one core of it saturates one core of a fast server.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What can go wrong.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A connection that is kept open, for one request at a time.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn open(address: &str) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and reads the whole answer. Returns its status and where in [`answer`](Self::answer) its body begins.
    ///
    /// # Errors
    /// When the connection breaks, or the answer has no length.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<(u16, usize), Error> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            let Some(head) = Head::read(&self.buffer)? else { continue };
            let whole = head.length + head.body;
            while self.buffer.len() < whole {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err("the server closed the connection within an answer".into());
                }
            }
            if self.buffer.len() > whole {
                return Err("the server sent more than one answer".into());
            }
            return Ok((head.status, head.length));
        }
    }

    /// The bytes of the last answer.
    #[must_use]
    pub fn answer(&self) -> &[u8] {
        &self.buffer
    }
}

/// What this client has to know of an answer's head.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: usize,
    body: usize,
}

impl Head {
    /// Reads it, or returns `None` while it is incomplete.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Error> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let mut lines = bytes[..end].split(|byte| *byte == b'\n');
        let line = std::str::from_utf8(lines.next().unwrap_or_default())?;
        let status = line.split(' ').nth(1).ok_or("no status")?.parse()?;
        if status == 204 {
            return Ok(Some(Self { status, length: end + 4, body: 0 }));
        }
        for line in lines {
            if let Some((name, value)) = line.split_at_checked("content-length:".len())
                && name.eq_ignore_ascii_case(b"content-length:")
            {
                let body = std::str::from_utf8(value)?.trim().parse()?;
                return Ok(Some(Self { status, length: end + 4, body }));
            }
        }
        Err("the answer has no content-length".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_when_complete() {
        let answer =
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
        let head = Head::read(answer).expect("a good head").expect("a complete one");
        assert_eq!((head.status, head.body, &answer[head.length..]), (200, 7, &b"{\"a\":1}"[..]));
        assert_eq!(Head::read(&answer[..30]).expect("nothing wrong so far"), None);
        assert!(Head::read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
