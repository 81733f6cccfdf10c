//! Log lines of a file, in chunks, without those that can hold no envelope.
//!
//! A file is plain lines, or JSON as `aws logs filter-log-events` prints it: one document over many
//! lines, or several where pages were joined. Of such a file each event counts as a line.

use std::io::{BufRead, BufReader, Cursor, Read};

use anyhow::{Context, bail};
use serde_json::{Deserializer, Value};

/// Lines, one after the other.
type Lines = Box<dyn Iterator<Item = anyhow::Result<String>>>;

/// Some lines to be sent at once.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The lines that may hold an envelope.
    pub(super) text: String,
    /// The number of each of them in the file, from 1.
    pub(super) numbers: Vec<u64>,
    /// How many lines were read for it.
    pub(super) lines: u64,
}

/// The chunks of a file.
pub(super) struct Chunks {
    lines: Lines,
    number: u64,
}

impl Chunks {
    pub(super) fn new(input: Box<dyn BufRead>) -> anyhow::Result<Self> {
        Ok(Chunks {
            lines: lines(input)?,
            number: 0,
        })
    }

    /// The next lines, until they are enough for one request.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Chunk>> {
        let mut chunk = Chunk::default();
        while chunk.text.len() < CHUNK_BYTES && chunk.numbers.len() < CHUNK_LINES {
            let Some(line) = self.lines.next() else {
                break;
            };
            let line =
                line.with_context(|| format!("cannot read on after line {}", self.number))?;
            self.number += 1;
            chunk.lines += 1;
            if line.contains(MARK) {
                chunk.numbers.push(self.number);
                chunk.text += &line.replace(['\n', '\r'], " ");
                chunk.text.push('\n');
            }
        }
        Ok((chunk.lines > 0).then_some(chunk))
    }
}

fn lines(mut input: Box<dyn BufRead>) -> anyhow::Result<Lines> {
    let first = line(&mut input)?.unwrap_or_default();
    let is_json = is_answer(&first);
    let mut input = BufReader::new(Cursor::new(first.into_bytes()).chain(input));
    if !is_json {
        return Ok(Box::new(std::iter::from_fn(move || {
            line(&mut input).transpose()
        })));
    }
    let documents = Deserializer::from_reader(input).into_iter::<Value>();
    let mut events = Vec::new().into_iter();
    let mut documents = documents.fuse();
    Ok(Box::new(std::iter::from_fn(move || {
        loop {
            if let Some(message) = events.next() {
                return Some(Ok(message));
            }
            match documents.next()? {
                Ok(document) => events = messages(document).into_iter(),
                Err(error) => return Some(Err(error.into())),
            }
        }
    })))
}

/// Whether a file that begins with this line is JSON over many lines, or an answer of AWS on one.
fn is_answer(line: &str) -> bool {
    let line = line.trim();
    match serde_json::from_str::<Value>(line) {
        Ok(document) => document["events"].is_array(),
        Err(_) => line == "{" || (line.starts_with("{\"events\"") && !line.contains(MARK)),
    }
}

fn messages(document: Value) -> Vec<String> {
    let events = document["events"].as_array().into_iter().flatten();
    let messages = events.filter_map(|event| event["message"].as_str());
    messages.map(str::to_owned).collect()
}

/// The next line, whatever its bytes are.
fn line(input: &mut impl BufRead) -> anyhow::Result<Option<String>> {
    let mut bytes = Vec::new();
    input.take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
    if bytes.len() as u64 == LINE_BYTES_MAX {
        bail!("a line has more than {LINE_BYTES_MAX} bytes");
    }
    let some = !bytes.is_empty();
    Ok(some.then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The member by which an envelope is known, escaped or not.
const MARK: &str = "__otel_otlp_stdout";

/// Of one request; a line may come on top.
const CHUNK_BYTES: usize = 4 << 20;

/// The server acknowledges each envelope on its own.
const CHUNK_LINES: usize = 500;

/// Far above what CloudWatch Logs takes, and above most answers of AWS on one line.
const LINE_BYTES_MAX: u64 = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that are sent of a file, with their numbers, and how many were read.
    fn read(file: &str) -> (Vec<(u64, String)>, u64) {
        let input = Cursor::new(file.as_bytes().to_vec());
        let mut chunks = Chunks::new(Box::new(input)).unwrap();
        let (mut sent, mut lines) = (Vec::new(), 0);
        while let Some(chunk) = chunks.next().unwrap() {
            lines += chunk.lines;
            let text = chunk.text.lines().map(|line| line.trim_end().to_owned());
            sent.extend(chunk.numbers.iter().copied().zip(text));
        }
        (sent, lines)
    }

    const ENVELOPE: &str = r#"{"__otel_otlp_stdout":"1","endpoint":"/v1/logs"}"#;

    #[test]
    fn plain_lines_keep_their_numbers() {
        let file = format!("START\n{ENVELOPE}\n\n2026 {ENVELOPE}\r\nEND");
        let expected = vec![(2, ENVELOPE.to_owned()), (4, format!("2026 {ENVELOPE}"))];
        assert_eq!(read(&file), (expected, 5));
        assert_eq!(read(""), (vec![], 0));
        assert_eq!(read(ENVELOPE), (vec![(1, ENVELOPE.to_owned())], 1));
        // JSON logs are lines, not an answer of AWS.
        assert_eq!(read("{\"a\":1}\n{\"events\":7}\n").1, 2);
    }

    #[test]
    fn events_of_aws_count_as_lines() {
        let page = |messages: &[&str]| {
            let events = messages
                .iter()
                .map(|message| serde_json::json!({"message": message, "timestamp": 1}));
            serde_json::json!({"events": events.collect::<Vec<_>>(), "searchedLogStreams": []})
        };
        let with_newline = format!("{ENVELOPE}\n");
        let (one, other) = (page(&["hello", &with_newline]), page(&[ENVELOPE]));
        let expected = (vec![(2, ENVELOPE.to_owned()), (3, ENVELOPE.to_owned())], 3);
        let pretty = serde_json::to_string_pretty(&one).unwrap()
            + "\n"
            + &serde_json::to_string_pretty(&other).unwrap();
        assert_eq!(read(&pretty), expected);
        assert_eq!(read(&format!("{one}\n{other}\n")), expected);
    }

    #[test]
    fn a_file_that_breaks_off_says_where() {
        let mut chunks = Chunks::new(Box::new(Cursor::new("{\n  \"events\": [\n"))).unwrap();
        let error = format!("{:#}", chunks.next().unwrap_err());
        assert!(error.starts_with("cannot read on after line 0"), "{error}");
    }

    #[test]
    fn many_lines_are_several_chunks() {
        let file = format!("{ENVELOPE}\n").repeat(CHUNK_LINES + 1);
        let mut chunks = Chunks::new(Box::new(Cursor::new(file))).unwrap();
        let mut sizes = Vec::new();
        while let Some(chunk) = chunks.next().unwrap() {
            sizes.push(chunk.numbers.len());
        }
        assert_eq!(sizes, [CHUNK_LINES, 1]);
    }
}
