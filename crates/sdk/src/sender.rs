//! One kept connection to the extension. A request is written into the kernel's buffer and its answer read when the next
//! one goes out: nobody waits for either. If nobody listens, this environment sends nothing any more.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::Interest;

#[derive(Clone, Debug)]
pub(crate) struct Sender(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_off: bool,
    connection: Option<TcpStream>,
    /// Requests without an answer, oldest first.
    unanswered: VecDeque<Vec<u8>>,
    bytes: usize,
    /// How many of them are written whole, and how many bytes of the one after them.
    written: usize,
    offset: usize,
    /// Of an answer that is not whole yet.
    answer: Vec<u8>,
    retries: u32,
    /// How many connections were made.
    made: u64,
    is_draining: bool,
}

impl Sender {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let state = Mutex::default();
        Sender(Arc::new(Shared { address, state }))
    }

    /// Connects, if it is not. That nobody listens yet counts only for a request.
    pub(crate) fn open(&self) {
        let mut state = self.0.lock();
        if state.connection.is_none() {
            state.connection = self.0.connect().ok();
        }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.0.lock().is_off
    }

    /// Sends the body of a request for traces. What would be too much is dropped.
    pub(crate) fn send(&self, body: &[u8]) {
        let mut state = self.0.lock();
        if state.is_off || state.bytes + body.len() > UNANSWERED_BYTES_MAX {
            return;
        }
        let mut request = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
            self.0.address,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        state.bytes += request.len();
        state.unanswered.push_back(request);
        self.0.pump(&mut state);
        if state.has_unwritten() && !state.is_draining {
            state.is_draining = self.drain();
        }
    }

    /// Goes on writing in the background what the kernel did not take at once.
    fn drain(&self) -> bool {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return false;
        };
        let shared = Arc::clone(&self.0);
        runtime.spawn(async move {
            while let Some((connection, made)) = shared.copy_to_drain() {
                while shared.is_unwritten(made) && connection.writable().await.is_ok() {
                    // Where it is full again, tokio takes note.
                    drop(connection.try_io(Interest::WRITABLE, || shared.write_more()));
                }
            }
        });
        true
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self) -> std::io::Result<TcpStream> {
        let connection = TcpStream::connect_timeout(&self.address, CONNECT_MAX)?;
        connection.set_nodelay(true)?;
        connection.set_nonblocking(true)?;
        Ok(connection)
    }

    /// The connection that has something to be written, and which it is.
    fn copy_to_drain(&self) -> Option<(tokio::net::TcpStream, u64)> {
        let mut state = self.lock();
        let copy = state.connection.as_ref().filter(|_| state.has_unwritten());
        let copy = copy.and_then(|connection| connection.try_clone().ok());
        let copy = copy.and_then(|copy| tokio::net::TcpStream::from_std(copy).ok());
        state.is_draining = copy.is_some();
        Some((copy?, state.made))
    }

    fn is_unwritten(&self, made: u64) -> bool {
        let state = self.lock();
        state.made == made && state.has_unwritten()
    }

    fn write_more(&self) -> std::io::Result<()> {
        let mut state = self.lock();
        self.pump(&mut state);
        match state.has_unwritten() {
            true => Err(ErrorKind::WouldBlock.into()),
            false => Ok(()),
        }
    }

    /// Reads what answers there are and writes what can be written. A connection that broke, as they do in a freeze, is
    /// made anew once between two answers.
    fn pump(&self, state: &mut State) {
        loop {
            if state.connection.is_none() {
                match self.connect() {
                    Ok(connection) => {
                        state.connection = Some(connection);
                        state.made += 1;
                    }
                    Err(error) => {
                        state.is_off = error.kind() == ErrorKind::ConnectionRefused;
                        return state.drop_all();
                    }
                }
            }
            if state.step().is_ok() {
                return;
            }
            state.connection = None;
            state.answer.clear();
            (state.written, state.offset) = (0, 0);
            if state.retries >= RETRIES_MAX {
                return state.drop_all();
            }
            state.retries += 1;
        }
    }
}

impl State {
    fn has_unwritten(&self) -> bool {
        self.connection.is_some() && self.written < self.unanswered.len()
    }

    fn drop_all(&mut self) {
        self.unanswered.clear();
        (self.bytes, self.written, self.offset, self.retries) = (0, 0, 0, 0);
    }

    fn step(&mut self) -> std::io::Result<()> {
        let Some(mut connection) = self.connection.as_ref() else {
            return Ok(());
        };
        let mut buffer = [0; 4 << 10];
        loop {
            match connection.read(&mut buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(bytes) => self.answer.extend_from_slice(&buffer[..bytes]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        while let Some(bytes) = answer_bytes(&self.answer)? {
            self.answer.drain(..bytes);
            if self.written == 0 {
                return Err(ErrorKind::InvalidData.into());
            }
            self.written -= 1;
            let answered = self.unanswered.pop_front();
            self.bytes -= answered.map_or(0, |request| request.len());
            self.retries = 0;
        }
        while let Some(request) = self.unanswered.get(self.written) {
            match connection.write(&request[self.offset..]) {
                Ok(bytes) => self.offset += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.offset == request.len() {
                (self.written, self.offset) = (self.written + 1, 0);
            }
        }
        Ok(())
    }
}

/// How many bytes the first answer takes, if it is whole.
fn answer_bytes(bytes: &[u8]) -> std::io::Result<Option<usize>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return match bytes.len() > HEAD_BYTES_MAX {
            true => Err(ErrorKind::InvalidData.into()),
            false => Ok(None),
        };
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let mut lines = head.split("\r\n");
    let is_known = lines
        .next()
        .is_some_and(|first| first.starts_with("http/1.1 "));
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        match name.trim() {
            "content-length" => {
                length = value.trim().parse().map_err(|_| ErrorKind::InvalidData)?
            }
            "transfer-encoding" => return Err(ErrorKind::InvalidData.into()),
            _ => {}
        }
    }
    if !is_known || length > HEAD_BYTES_MAX {
        return Err(ErrorKind::InvalidData.into());
    }
    let whole = end + 4 + length;
    Ok((bytes.len() >= whole).then_some(whole))
}

/// What may be on its way without an answer.
const UNANSWERED_BYTES_MAX: usize = 4 << 20;
const RETRIES_MAX: u32 = 1;
const HEAD_BYTES_MAX: usize = 16 << 10;
/// On loopback a connection is there at once, or refused at once.
const CONNECT_MAX: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests;
