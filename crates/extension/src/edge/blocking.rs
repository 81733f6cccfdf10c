//! One HTTP/1.1 exchange over a blocking socket of the standard library.
//!
//! Whatever stands between the start of the process and `register` makes every cold start of every
//! function longer, so that call needs nothing that would have to be set up: no async runtime, no
//! HTTP library, no configuration. It is also what is left to ask for events with when all of that
//! cannot be had. [`parse`] is pure and takes what other servers than Lambda's make of an answer.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// What is asked.
pub(super) struct Call<'a> {
    /// `host:port` of the server.
    pub(super) address: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a str,
    /// How long the whole answer may take; for ever if there is none.
    pub(super) wait: Option<Duration>,
}

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// Nobody is there, or the connection broke: nothing was answered.
    #[error("{0}")]
    Unreachable(String),
    /// Something was answered that is not HTTP.
    #[error("{0}")]
    Unreadable(&'static str),
}

impl Answer {
    /// The value of a header, whatever the case of its name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.head, name)
    }
}

/// Makes the call over a connection of its own.
pub(super) fn call(call: &Call) -> Result<Answer, Trouble> {
    let unreachable = |error: std::io::Error| Trouble::Unreachable(error.to_string());
    let mut stream = connect(call.address).map_err(unreachable)?;
    stream.write_all(&render(call)).map_err(unreachable)?;
    read(&mut stream, call.wait)
}

fn connect(address: &str) -> std::io::Result<TcpStream> {
    let mut last = std::io::Error::new(ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match connect_to(&address) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn connect_to(address: &SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(address, CONNECT_MAX)?;
    // Head and body are one write, so nothing is held back either way; it cannot do harm.
    let _ = stream.set_nodelay(true);
    stream.set_write_timeout(Some(CONNECT_MAX))?;
    Ok(stream)
}

fn render(call: &Call) -> Vec<u8> {
    let mut text = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        call.method,
        call.path,
        call.address,
        call.body.len()
    );
    for (name, value) in call.headers {
        // Writing to a string does not fail.
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text.push_str("\r\n");
    text.push_str(call.body);
    text.into_bytes()
}

#[allow(clippy::disallowed_methods)] // The edge: a wait on the wall clock would jump with it.
fn read(stream: &mut TcpStream, wait: Option<Duration>) -> Result<Answer, Trouble> {
    let unreachable = |error: std::io::Error| Trouble::Unreachable(error.to_string());
    let begun = Instant::now();
    let mut bytes = Vec::new();
    let mut piece = [0; PIECE_BYTES];
    loop {
        let left = wait.map(|wait| wait.saturating_sub(begun.elapsed()));
        if left == Some(Duration::ZERO) {
            return Err(Trouble::Unreachable("no answer in time".to_owned()));
        }
        stream.set_read_timeout(left).map_err(unreachable)?;
        let count = match stream.read(&mut piece) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => return Err(unreachable(error)),
        };
        bytes.extend_from_slice(&piece[..count]);
        match parse(&bytes, count == 0) {
            Progress::Whole(answer) => return Ok(answer),
            Progress::Bad(why) => return Err(Trouble::Unreadable(why)),
            Progress::More if bytes.len() > ANSWER_BYTES_MAX => {
                return Err(Trouble::Unreadable("it is too long"));
            }
            Progress::More if count == 0 => {
                return Err(Trouble::Unreachable(
                    "the connection ended before the answer".to_owned(),
                ));
            }
            Progress::More => {}
        }
    }
}

/// How far an answer has come.
#[derive(Debug, PartialEq, Eq)]
enum Progress {
    More,
    Whole(Answer),
    Bad(&'static str),
}

/// Reads an answer from all the bytes that came so far. Where the server closed the connection too
/// early (`ended`), a body that was cut counts as the body.
fn parse(bytes: &[u8], ended: bool) -> Progress {
    let Some((head, rest)) = split_head(bytes) else {
        return Progress::More;
    };
    let Ok(head) = std::str::from_utf8(head) else {
        return Progress::Bad("its head is not text");
    };
    let Some(status) = status(head) else {
        return Progress::Bad("it does not begin with a status");
    };
    if (100..200).contains(&status) {
        return parse(rest, ended);
    }
    let chunked = find_header(head, "transfer-encoding")
        .is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
    let length = find_header(head, "content-length").and_then(|value| value.parse().ok());
    let body = match (chunked, length) {
        _ if matches!(status, 204 | 304) => Some(Vec::new()),
        (true, _) => unchunk(rest, ended),
        (false, Some(length)) => rest.get(..length).map(<[u8]>::to_vec),
        (false, None) => None,
    };
    let body = match body {
        Some(body) => body,
        None if ended => rest.to_vec(),
        None => return Progress::More,
    };
    Progress::Whole(Answer {
        status,
        head: head.to_owned(),
        body,
    })
}

/// The head without the empty line that ends it, and what follows. Lines may end without `\r`.
fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut line = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte != b'\n' {
            continue;
        }
        if matches!(&bytes[line..at], b"" | b"\r") && line > 0 {
            return Some((&bytes[..line], &bytes[at + 1..]));
        }
        line = at + 1;
    }
    None
}

fn status(head: &str) -> Option<u16> {
    let mut words = head.lines().next()?.split_ascii_whitespace();
    words.next().filter(|word| word.starts_with("HTTP/"))?;
    words.next()?.parse().ok()
}

fn find_header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found
            .trim()
            .eq_ignore_ascii_case(name)
            .then_some(value.trim())
    })
}

/// The body without the lengths between its chunks; `None` while the last one is missing.
fn unchunk(mut rest: &[u8], ended: bool) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return ended.then_some(body);
        };
        let size = std::str::from_utf8(&rest[..end]).unwrap_or_default();
        let size = size.split(';').next().unwrap_or_default().trim();
        // What is no length ends the body: the rest could not be told apart from it.
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        let chunk = &rest[end + 1..];
        if size == 0 {
            return Some(body);
        }
        match chunk.get(..size) {
            Some(whole) => body.extend_from_slice(whole),
            None if ended => body.extend_from_slice(chunk),
            None => return None,
        }
        rest = chunk.get(size..).unwrap_or_default();
        rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    }
}

/// The platform is on this machine.
const CONNECT_MAX: Duration = Duration::from_secs(1);
const PIECE_BYTES: usize = 4096;
/// No answer of this API is near it.
const ANSWER_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests;
