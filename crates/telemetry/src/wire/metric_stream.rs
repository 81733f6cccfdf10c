//! Metric streams of CloudWatch, as Firehose delivers them: records to requests of OTLP.
//!
//! A record has one of two forms, told by how it begins:
//!
//! | output format of the stream | a record |
//! |---|---|
//! | `json` | [lines](mod@line), each an object with one data point |
//! | `opentelemetry1.0` | [messages](message), each an export request of OTLP after its length |
//!
//! What came as JSON gets the names and attributes that CloudWatch gives it in the other form, so that nobody who
//! reads metrics has to know which of them a stream has. Records that follow each other are put into few requests.
//! A line or message that cannot be read costs no other, but what follows a message whose length is wrong.

mod line;
mod message;

use self::line::Points;
use self::message::Joined;

/// Takes records one after the other.
#[derive(Debug, Default)]
pub struct MetricStream {
    points: Points,
    joined: Joined,
    read: MetricStreamRead,
}

/// What records hold.
#[derive(Debug, Default)]
pub struct MetricStreamRead {
    /// Lines and messages that could be read.
    pub read: u64,
    /// Bodies of OTLP export requests in protobuf, each with the number of the first line or message in it.
    pub requests: Vec<(u64, Vec<u8>)>,
    /// Lines and messages that could not be read by their number, the first hundred.
    pub problems: Vec<(u64, BadPiece)>,
    /// How many could not be read.
    pub problems_total: u64,
}

/// Why a line or a message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPiece {
    /// A line of more than any data point has.
    #[error("the line is longer than {} bytes", line::BYTES_MAX)]
    LongLine,
    /// A line that is not the JSON that it should be.
    #[error("not a data point of a metric stream: {0}")]
    NotAPoint(String),
    /// A line with a number that cannot be.
    #[error("the data point has no possible {0}")]
    BadNumber(&'static str),
    /// The end of a record that was cut.
    #[error("the record breaks off: {left} bytes are left of a message of {length}")]
    Cut {
        /// How many bytes the message should have.
        length: usize,
        /// How many there are.
        left: usize,
    },
    /// Something else than a length.
    #[error("no length of a message: {0}")]
    NoLength(String),
    /// A message that is not OTLP, or takes too much memory.
    #[error("not a message of a metric stream: {0}")]
    NotOtlp(String),
    /// What `opentelemetry0.7` looks like to whoever reads 1.0: attributes were called otherwise.
    #[error(
        "the data points have no attributes, as in opentelemetry0.7: give the metric stream the output format opentelemetry1.0 or json"
    )]
    OldFormat,
}

impl MetricStream {
    /// Takes a record and says how many lines or messages it has, of which the first gets the number `first`.
    /// `None` if it is not one of a metric stream.
    pub fn take(&mut self, record: &[u8], first: u64) -> Option<u64> {
        if message::begins(record) {
            return Some(self.messages(record, first));
        }
        line::begins(record).then(|| self.lines(record, first))
    }

    /// What was in all of them.
    pub fn finish(mut self) -> MetricStreamRead {
        let rest = [self.points.request(), self.joined.request()];
        self.read.requests.extend(rest.into_iter().flatten());
        self.read
    }

    fn messages(&mut self, mut record: &[u8], first: u64) -> u64 {
        let mut number = first;
        while !record.is_empty() {
            let taken = message::next(&mut record).and_then(|message| {
                let full = self.joined.take(message, number)?;
                self.read.requests.extend(full);
                Ok(())
            });
            self.note(number, taken);
            number += 1;
        }
        number - first
    }

    fn lines(&mut self, record: &[u8], first: u64) -> u64 {
        let mut number = first;
        for line in line::all(record) {
            let taken = self.points.take(line, number);
            let taken = taken.map(|full| self.read.requests.extend(full));
            self.note(number, taken);
            number += 1;
        }
        number - first
    }

    fn note(&mut self, number: u64, taken: Result<(), BadPiece>) {
        let Err(bad) = taken else {
            self.read.read += 1;
            return;
        };
        self.read.problems_total += 1;
        if self.read.problems.len() < PROBLEMS_MAX {
            self.read.problems.push((number, bad));
        }
    }
}

/// Problems that are told; the others are counted.
const PROBLEMS_MAX: usize = 100;

#[cfg(test)]
mod tests;
