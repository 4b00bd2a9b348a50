//! Just enough HTTP to ask a program on this machine something.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::Result;

/// A port of the loopback interface that nothing listens on at the moment.
///
/// # Errors
/// When the machine has none left.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Sends a GET request; returns status and body.
///
/// # Errors
/// When nobody listens, or the answer is not HTTP or does not come within the time.
pub(crate) fn get(port: u16, path: &str, limit: Duration) -> io::Result<(u16, String)> {
    ask(port, &format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"), limit)
}

/// Sends a POST request with a JSON body; returns status and body.
///
/// # Errors
/// As [`get`].
pub(crate) fn post(port: u16, path: &str, body: &str, limit: Duration) -> io::Result<(u16, String)> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json"
    );
    ask(port, &format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()), limit)
}

fn ask(port: u16, request: &str, limit: Duration) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(limit))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    parse(&answer).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP"))
}

/// Sends a GET request that has to be answered by 200 and a JSON document.
///
/// # Errors
/// When it is not.
pub(crate) fn get_json(port: u16, path: &str, limit: Duration) -> Result<Value> {
    let (status, body) = get(port, path, limit).map_err(|error| format!("{path}: {error}"))?;
    if status != 200 {
        return Err(format!("{path} was answered by {status}: {body}").into());
    }
    Ok(serde_json::from_str(&body)?)
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = "HTTP/1.1 204 No Content\r\nserver: x\r\n\r\n";
        assert_eq!(parse(answer), Some((204, String::new())));
        assert_eq!(parse("HTTP/1.1 200 OK\r\n\r\n{}"), Some((200, "{}".to_owned())));
        assert_eq!(parse("SSH-2.0"), None);
    }

    #[test]
    fn a_free_port_refuses_connections() {
        let port = free_port().expect("a port");
        assert!(get(port, "/", Duration::from_secs(1)).is_err());
    }
}
