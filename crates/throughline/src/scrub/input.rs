//! What is in a file: a request, one request a line, or lines of text.

use std::io::{self, BufRead, BufReader, Read};

use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request;

/// A part of the input that is looked at by itself.
pub(super) enum Piece {
    Line {
        /// From 1.
        number: u64,
        text: String,
    },
    Request {
        /// Its line, if each has one.
        number: Option<u64>,
        request: Request,
        bytes: usize,
    },
}

impl Piece {
    pub(super) fn bytes(&self) -> usize {
        match self {
            Piece::Line { text, .. } => text.len() + 1,
            Piece::Request { bytes, .. } => *bytes,
        }
    }
}

pub(super) struct Input<'r> {
    source: BufReader<Box<dyn Read + 'r>>,
    lines: u64,
    /// The file as a whole, if it is one request.
    whole: Option<Piece>,
}

impl<'r> Input<'r> {
    /// Looks at the beginning.
    pub(super) fn new(source: Box<dyn Read + 'r>) -> io::Result<Self> {
        let mut source = BufReader::with_capacity(BEGIN_BYTES, source);
        let begin = source.fill_buf()?;
        if begin.starts_with(&[0x1f, 0x8b]) {
            return Err(io::Error::other(
                "it is packed; unpack it with gunzip first",
            ));
        }
        let is_binary = begin
            .iter()
            .any(|byte| *byte < b' ' && !b"\t\r\n\x1b\x0c".contains(byte));
        let first = begin
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let is_json = signal_of(begin).is_some() && is_cut_json(first);
        let mut input = Input {
            source,
            lines: 0,
            whole: None,
        };
        if is_binary || is_json {
            let mut bytes = Vec::new();
            input
                .source
                .by_ref()
                .take(WHOLE_BYTES_MAX + 1)
                .read_to_end(&mut bytes)?;
            if bytes.len() as u64 > WHOLE_BYTES_MAX {
                return Err(io::Error::other("it is too large for one request"));
            }
            input.whole = Some(match is_binary {
                true => protobuf(&bytes)?,
                false => json(&bytes)?,
            });
        }
        Ok(input)
    }

    /// The next piece; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Piece>> {
        if let Some(whole) = self.whole.take() {
            return Ok(Some(whole));
        }
        let mut line = Vec::new();
        let read = self
            .source
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        self.lines += 1;
        let request = signal_of(&line[..line.len().min(BEGIN_OF_LINE_BYTES)])
            .and_then(|signal| Request::from_json(signal, &line).ok());
        Ok(Some(match request {
            Some(request) => Piece::Request {
                number: Some(self.lines),
                request,
                bytes: read,
            },
            None => {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end_matches(['\n', '\r']).to_owned();
                Piece::Line {
                    number: self.lines,
                    text,
                }
            }
        }))
    }

    /// How many pieces there were, and what they are called.
    pub(super) fn unit(&self) -> (u64, &'static str) {
        match self.lines {
            0 => (1, "request"),
            1 => (1, "line"),
            lines => (lines, "lines"),
        }
    }
}

/// The signal that OTLP/JSON names at its beginning.
fn signal_of(begin: &[u8]) -> Option<Signal> {
    let begin = begin
        .trim_ascii_start()
        .strip_prefix(b"{")?
        .trim_ascii_start();
    let names = [
        (&b"\"resourceSpans\""[..], Signal::Traces),
        (b"\"resourceLogs\"", Signal::Logs),
        (b"\"resourceMetrics\"", Signal::Metrics),
    ];
    let known = names.iter().find(|(name, _)| begin.starts_with(name))?;
    Some(known.1)
}

/// Whether a line is not JSON by itself, so that the request goes on behind it.
fn is_cut_json(line: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(line).is_err() && line.len() < BEGIN_BYTES
}

fn json(bytes: &[u8]) -> io::Result<Piece> {
    let signal = signal_of(bytes).ok_or_else(|| io::Error::other("it is not OTLP"))?;
    let request = Request::from_json(signal, bytes).map_err(io::Error::other)?;
    Ok(Piece::Request {
        number: None,
        request,
        bytes: bytes.len(),
    })
}

/// The messages of the three signals look alike from outside. The right one keeps every byte.
fn protobuf(bytes: &[u8]) -> io::Result<Piece> {
    let read = Signal::ALL.into_iter().filter_map(|signal| {
        let request = Request::from_protobuf(signal, bytes).ok()?;
        (request.items() > 0).then_some(request)
    });
    let request = read.max_by_key(|request| request.to_protobuf().len());
    let why = "it is neither text nor an OTLP request in protobuf";
    let request = request.ok_or_else(|| io::Error::other(why))?;
    Ok(Piece::Request {
        number: None,
        request,
        bytes: bytes.len(),
    })
}

const BEGIN_BYTES: usize = 64 * 1024;
const BEGIN_OF_LINE_BYTES: usize = 64;
const WHOLE_BYTES_MAX: u64 = 256 << 20;
/// A longer line is looked at in pieces.
const LINE_BYTES_MAX: u64 = 16 << 20;
