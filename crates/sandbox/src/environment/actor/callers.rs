//! Whoever waits for an invocation of this environment.

use tokio::sync::oneshot;

use super::super::stream::{Answered, ResponseStream};
use super::{Actor, Caller, Ended};
use crate::lifecycle::{CallId, Verdict};

/// A [`Caller`] and what is still owed to it.
pub(super) struct Waiting {
    answer: Option<oneshot::Sender<Answered>>,
    /// Of the stream that it gets.
    end: Option<oneshot::Sender<Verdict>>,
    ended: oneshot::Sender<Ended>,
}

impl From<Caller> for Waiting {
    fn from(caller: Caller) -> Self {
        Self {
            answer: Some(caller.answer),
            end: None,
            ended: caller.ended,
        }
    }
}

impl Waiting {
    pub(super) fn end(self, ended: Ended) {
        debug_assert!(
            self.answer.is_none() && self.end.is_none(),
            "every invocation is answered before it is reported"
        );
        let _ = self.ended.send(ended);
    }
}

impl Actor {
    pub(super) fn open_stream(
        &mut self,
        call: CallId,
        request_id: &str,
        content_type: Option<String>,
    ) {
        let chunks = self.streams.remove(&call);
        let (Some(chunks), Some(caller)) = (chunks, self.callers.get_mut(request_id)) else {
            return;
        };
        let (end, ended) = oneshot::channel();
        caller.end = Some(end);
        if let Some(answer) = caller.answer.take() {
            let stream = ResponseStream::new(content_type, chunks, ended);
            let _ = answer.send(Answered::Stream(stream));
        }
    }

    /// A caller that has gone does not stop the function, as on Lambda.
    pub(super) fn answer(&mut self, request_id: &str, verdict: Verdict) {
        let Some(caller) = self.callers.get_mut(request_id) else {
            return;
        };
        if let Some(end) = caller.end.take() {
            let _ = end.send(verdict);
        } else if let Some(answer) = caller.answer.take() {
            let _ = answer.send(Answered::Whole(verdict));
        }
    }

    /// Nobody here has taken it: another environment may.
    pub(super) fn reject(&mut self, request_id: &str) {
        self.end_troubles(request_id);
        self.log_tail().finish(request_id);
        let caller = self.callers.remove(request_id);
        if let Some(answer) = caller.and_then(|caller| caller.answer) {
            let _ = answer.send(Answered::Rejected);
        }
    }
}
