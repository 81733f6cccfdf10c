//! A server for telemetry that only counts, and misbehaves when it is told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What it does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Takes,
    Answers503,
    Hangs,
}

/// The server. It goes on until the program ends.
#[derive(Clone)]
pub(crate) struct Server(Arc<Shared>);

struct Shared {
    address: SocketAddr,
    manner: AtomicU8,
    requests: AtomicU64,
    bytes: AtomicU64,
    /// Hanging connections are kept here, so that they stay open.
    kept: Mutex<Vec<TcpStream>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server(Arc::new(Shared {
            address: listener.local_addr().unwrap(),
            manner: AtomicU8::new(Manner::Takes as u8),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            kept: Mutex::default(),
        }));
        let accepting = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = accepting.clone();
                thread::spawn(move || server.serve(stream));
            }
        });
        server
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> String {
        self.0.address.to_string()
    }

    pub(crate) fn set(&self, manner: Manner) {
        self.0.manner.store(manner as u8, Ordering::SeqCst);
        self.0.kept.lock().unwrap().clear();
    }

    /// How many requests it has answered with 200, and the bytes of their bodies.
    pub(crate) fn taken(&self) -> (u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        (count(&self.0.requests), count(&self.0.bytes))
    }

    /// One connection, to its end.
    fn serve(&self, mut stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        while let Some(bytes) = read(&mut stream) {
            let manner = self.0.manner.load(Ordering::SeqCst);
            let status = match manner {
                manner if manner == Manner::Hangs as u8 => {
                    self.0.kept.lock().unwrap().push(stream);
                    return;
                }
                manner if manner == Manner::Answers503 as u8 => "503 Service Unavailable",
                _ => {
                    self.0.requests.fetch_add(1, Ordering::SeqCst);
                    self.0.bytes.fetch_add(bytes, Ordering::SeqCst);
                    "200 OK"
                }
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"
            );
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// Reads a request; the bytes of its body, `None` at the end of the connection.
fn read(stream: &mut TcpStream) -> Option<u64> {
    let mut buffer = Vec::new();
    let mut piece = vec![0; 64 << 10];
    let head_end = loop {
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        buffer.extend_from_slice(&piece[..count]);
        let end = buffer.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).to_lowercase();
    let length = head.split("content-length: ").nth(1)?;
    let length: usize = length.split("\r\n").next()?.trim().parse().ok()?;
    let mut missing = length.saturating_sub(buffer.len() - head_end);
    while missing > 0 {
        let most = missing.min(piece.len());
        let count = stream
            .read(&mut piece[..most])
            .ok()
            .filter(|count| *count > 0)?;
        missing -= count;
    }
    Some(length as u64)
}
