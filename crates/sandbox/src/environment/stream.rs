//! A streamed answer on its way from the runtime's call to whoever made the invocation.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::invoke::Outcome;
use crate::lifecycle::{Verdict, error_payload};

/// What the caller of a function gets: all at once, or while it is made.
#[derive(Debug)]
pub(crate) enum Answered {
    Whole(Verdict),
    Stream(ResponseStream),
    /// No worker of the environment was free.
    Rejected,
}

/// An answer that is still being made.
#[derive(Debug)]
pub(crate) struct ResponseStream {
    /// As the runtime told it.
    pub(crate) content_type: Option<String>,
    chunks: mpsc::Receiver<Bytes>,
    end: oneshot::Receiver<Verdict>,
    verdict: Option<Verdict>,
}

/// A piece of a streamed answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Chunk(Bytes),
    /// Nothing comes after it. The payload is an error or empty.
    End(Verdict),
}

impl ResponseStream {
    pub(super) fn new(
        content_type: Option<String>,
        chunks: mpsc::Receiver<Bytes>,
        end: oneshot::Receiver<Verdict>,
    ) -> Self {
        Self {
            content_type,
            chunks,
            end,
            verdict: None,
        }
    }

    /// The next piece. The end is also known when the runtime never closes its side, as after a timeout.
    pub(crate) async fn next(&mut self) -> Part {
        if self.verdict.is_none() {
            tokio::select! {
                biased;
                Some(chunk) = self.chunks.recv() => return Part::Chunk(chunk),
                verdict = &mut self.end => self.verdict = Some(verdict.unwrap_or_else(|_| stopped())),
            }
        }
        // The last words of a runtime that has died may still be on their way. Its side closes with it, unless a
        // process that it left behind keeps it open.
        match tokio::time::timeout(LAST_WORDS, self.chunks.recv()).await {
            Ok(Some(chunk)) => Part::Chunk(chunk),
            _ => Part::End(self.verdict.clone().unwrap_or_else(stopped)),
        }
    }

    /// All of it as one answer, for callers who wait for that. What is longer than `bytes_max` is an error.
    pub(crate) async fn gather(mut self, bytes_max: u64) -> Verdict {
        let mut gathered = Vec::new();
        loop {
            match self.next().await {
                Part::Chunk(chunk) => gathered.extend_from_slice(&chunk),
                Part::End(verdict) if verdict.outcome == Outcome::Returned => {
                    return Verdict {
                        payload: gathered.into(),
                        ..verdict
                    };
                }
                Part::End(verdict) => return verdict,
            }
            if gathered.len() as u64 > bytes_max {
                let message = format!(
                    "Response payload size exceeded maximum allowed payload size ({bytes_max} bytes)."
                );
                return Verdict::failed(error_payload("Function.ResponseSizeTooLarge", &message));
            }
        }
    }
}

/// How long an answer whose end is known waits for what was sent before.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What callers hear when the sandbox ends before the function answers.
pub(crate) fn stopped() -> Verdict {
    Verdict::failed(error_payload("Sandbox.Failure", "the sandbox was stopped"))
}
