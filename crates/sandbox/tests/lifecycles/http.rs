//! As much of an HTTP client as a scripted process needs, on a connection for each call.

use std::io::{Read, Write};
use std::net::TcpStream;

/// What came back.
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Makes a call and reads all of its answer; `None` when the connection breaks.
pub(crate) fn call(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Response> {
    let mut stream = connect()?;
    let length = ("content-length", body.len().to_string());
    let headers: Vec<_> = headers
        .iter()
        .copied()
        .chain([(length.0, length.1.as_str())])
        .collect();
    stream
        .write_all(head(method, path, &headers).as_bytes())
        .ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    read(stream)
}

/// Begins a streamed answer; what is written to the connection is in chunks, which the caller makes.
pub(crate) fn open(path: &str, headers: &[(&str, &str)]) -> Option<TcpStream> {
    let mut stream = connect()?;
    let chunked = [("transfer-encoding", "chunked")];
    let headers: Vec<_> = headers.iter().copied().chain(chunked).collect();
    stream
        .write_all(head("POST", path, &headers).as_bytes())
        .ok()?;
    Some(stream)
}

pub(crate) fn read(mut stream: TcpStream) -> Option<Response> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Response {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

fn connect() -> Option<TcpStream> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").ok()?;
    TcpStream::connect(api).ok()
}

fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("{method} {path} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n{headers}\r\n")
}
