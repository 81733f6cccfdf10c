//! The last of an invocation's log, as `X-Amz-Log-Result` returns it.

use crate::invoke::Finished;
use crate::time::millis;

/// The log of the invocation that runs, cut at the front.
#[derive(Debug, Default)]
pub(crate) struct LogTail {
    text: String,
}

impl LogTail {
    pub(crate) fn start(&mut self, request_id: &str) {
        self.text.clear();
        self.line(&format!(
            "START RequestId: {request_id} Version: {}",
            crate::function::VERSION
        ));
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        if !line.ends_with('\n') {
            self.text.push('\n');
        }
        if self.text.len() > TAIL_BYTES_MAX {
            let cut = self.text.len() - TAIL_BYTES_MAX;
            let cut = (cut..self.text.len())
                .find(|at| self.text.is_char_boundary(*at))
                .unwrap_or(cut);
            self.text.drain(..cut);
        }
    }

    pub(crate) fn finish(&mut self, finished: &Finished) -> String {
        self.line(&format!("END RequestId: {}", finished.request_id));
        self.line(&report_line(finished));
        std::mem::take(&mut self.text)
    }
}

fn report_line(finished: &Finished) -> String {
    let init = finished
        .init
        .map(|init| format!("Init Duration: {:.2} ms\t", millis(init)))
        .unwrap_or_default();
    format!(
        "REPORT RequestId: {}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t{init}",
        finished.request_id,
        millis(finished.duration),
        finished.billed.as_millis(),
        finished.memory_mb,
        finished.memory_max_used_mb,
    )
}

/// What Lambda returns.
const TAIL_BYTES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_log_keeps_its_end() {
        let mut tail = LogTail::default();
        tail.start("id");
        tail.line("ä".repeat(TAIL_BYTES_MAX).as_str());
        tail.line("end");
        assert!(tail.text.len() <= TAIL_BYTES_MAX);
        assert!(tail.text.ends_with("ä\nend\n"));
        tail.start("next");
        assert_eq!(tail.text, "START RequestId: next Version: $LATEST\n");
    }
}
