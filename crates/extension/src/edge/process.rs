//! Reads what the kernel knows of the function's processes.

use std::fs::{self, File};
use std::io::Read;
use std::sync::Arc;

use throughline_extension::Event;
use throughline_extension::counters::{Counter, Counters};
use throughline_extension::process::{
    self, FILE_BYTES_MAX, GroupFiles, OPEN_FILES_MAX, PROCESSES_MAX, Snapshot, When,
};

/// What is read, and where.
pub(crate) struct Meter {
    counters: Arc<Counters>,
    own: u32,
    group: Option<GroupFiles>,
    buffer: Vec<u8>,
    /// The invocation that has begun and whose end is not read yet: one reading, however often the
    /// platform says that it is over, and none if the next one begins before that.
    running: Option<String>,
}

impl Meter {
    /// For the environment that this process is in.
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        let mut meter = Meter {
            counters,
            own: std::process::id(),
            group: None,
            buffer: Vec::with_capacity(FILE_BYTES_MAX),
            running: None,
        };
        meter.group = meter
            .text("/proc/self/cgroup")
            .and_then(process::group_files);
        meter
    }

    /// The reading when this invocation has begun.
    pub(crate) fn begin(&mut self, request_id: String) -> Event {
        self.running = Some(request_id);
        self.event(When::Begin)
    }

    /// The reading that belongs before this event.
    pub(crate) fn before(&mut self, event: &Event) -> Option<Event> {
        match event {
            Event::Telemetry(body) => {
                let running = self.running.as_ref()?;
                process::tells_end_of(body, running).then(|| {
                    self.running = None;
                    self.event(When::End)
                })
            }
            _ => None,
        }
    }

    fn event(&mut self, when: When) -> Event {
        let (snapshot, failures) = self.read();
        self.counters.add(Counter::NotMeasured, failures);
        Event::Measured(when, Box::new(snapshot))
    }

    /// What the kernel says now, and how many files could not be read that should be there. A
    /// process that ends meanwhile is no failure.
    pub(crate) fn read(&mut self) -> (Snapshot, u64) {
        let mut snapshot = Snapshot::default();
        let mut failures = 0;
        failures += u64::from(!self.read_processes(&mut snapshot));
        let network = self.text("/proc/net/dev").map(process::network);
        failures += u64::from(network.is_none());
        if let Some((received, sent)) = network.flatten() {
            snapshot.received_bytes = Some(received);
            snapshot.sent_bytes = Some(sent);
        }
        match rustix::fs::statvfs("/tmp") {
            Ok(tmp) => {
                let block = tmp.f_frsize;
                snapshot.tmp_size_bytes = tmp.f_blocks.checked_mul(block);
                let used = tmp.f_blocks.saturating_sub(tmp.f_bfree);
                snapshot.tmp_used_bytes = used.checked_mul(block);
            }
            Err(_) => failures += 1,
        }
        snapshot.out_of_memory = self.text("/proc/vmstat").and_then(process::out_of_memory);
        if let Some(group) = self.group.take() {
            let mut number = |path: &str| self.text(path)?.trim().parse::<u64>().ok();
            snapshot.group_bytes = number(&group.memory);
            snapshot.group_peak_bytes = number(&group.peak);
            snapshot.throttled = self.text(&group.cpu).and_then(process::throttled);
            self.group = Some(group);
        }
        (snapshot, failures)
    }

    /// All processes but ours. `false` if they cannot be told, or are a whole machine's.
    fn read_processes(&mut self, snapshot: &mut Snapshot) -> bool {
        let Ok(entries) = fs::read_dir("/proc") else {
            return false;
        };
        let ids = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let ids: Vec<u32> = ids
            .filter(|id| *id != self.own)
            .take(PROCESSES_MAX + 1)
            .collect();
        let ids = match ids.len() {
            0..=PROCESSES_MAX => Some(ids),
            _ => self.processes_of_group(),
        };
        let Some(ids) = ids else {
            return false;
        };
        for id in ids {
            let Some(process) = self
                .text(&format!("/proc/{id}/stat"))
                .and_then(process::stat)
            else {
                continue;
            };
            let peak = self
                .text(&format!("/proc/{id}/status"))
                .and_then(process::peak_bytes);
            let files = fs::read_dir(format!("/proc/{id}/fd")).ok();
            let limit = usize::try_from(OPEN_FILES_MAX).unwrap_or(usize::MAX);
            let files = files.map(|files| files.take(limit).count() as u64);
            snapshot.add(&process, peak, files);
        }
        true
    }

    /// Those of our control group, unless they are too many as well.
    fn processes_of_group(&mut self) -> Option<Vec<u32>> {
        let path = self.group.as_ref()?.processes.clone();
        let own = self.own;
        let ids = self.text(&path)?.lines().filter_map(|id| id.parse().ok());
        let ids: Vec<u32> = ids
            .filter(|id| *id != own)
            .take(PROCESSES_MAX + 1)
            .collect();
        (ids.len() <= PROCESSES_MAX).then_some(ids)
    }

    /// The text of a file, up to a limit.
    fn text(&mut self, path: &str) -> Option<&str> {
        self.buffer.clear();
        let file = File::open(path).ok()?;
        let mut file = file.take(FILE_BYTES_MAX as u64);
        file.read_to_end(&mut self.buffer).ok()?;
        std::str::from_utf8(&self.buffer).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Event {
        Event::Telemetry(text.to_owned().into())
    }

    #[test]
    fn each_invocation_is_read_at_both_ends_and_once_where_the_next_one_begins_before_its_end_is_told()
     {
        let mut meter = Meter::new(Arc::default());
        let when = |event: Option<Event>| match event {
            Some(Event::Measured(when, _)) => Some(when),
            None => None,
            Some(other) => panic!("no reading: {other:?}"),
        };
        let done = |id: &str| {
            told(&format!(
                r#"[{{"type":"platform.runtimeDone","record":{{"requestId":"{id}"}}}}]"#
            ))
        };
        assert_eq!(when(meter.before(&done("r-1"))), None, "nothing has begun");
        for id in ["r-1", "r-2"] {
            assert_eq!(when(Some(meter.begin(id.to_owned()))), Some(When::Begin));
            let line = told(r#"[{"type":"function","record":"x"}]"#);
            assert_eq!(when(meter.before(&line)), None);
            assert_eq!(when(meter.before(&done(id))), Some(When::End));
            assert_eq!(when(meter.before(&done(id))), None, "told twice");
        }
        meter.begin("r-3".to_owned());
        meter.begin("r-4".to_owned());
        let body = r#"[{"type":"platform.runtimeDone","record":{"requestId":"r-3"}},
            {"type":"platform.report","record":{"requestId":"r-3","metrics":{"durationMs":1.5}}},
            {"type":"platform.start","record":{"requestId":"r-4"}}]"#;
        assert_eq!(
            when(meter.before(&told(body))),
            None,
            "not the one that runs"
        );
        assert_eq!(when(meter.before(&done("r-4"))), Some(When::End));
    }

    #[test]
    fn this_machine_can_be_read() {
        let (snapshot, _) = Meter::new(Arc::default()).read();
        assert!(
            snapshot.tmp_size_bytes.is_some_and(|bytes| bytes > 0),
            "{snapshot:?}"
        );
        assert!(
            snapshot.tmp_used_bytes <= snapshot.tmp_size_bytes,
            "{snapshot:?}"
        );
        // A machine of many processes is no function's environment; any other has a few.
        let known = snapshot.resident_bytes.is_some();
        assert_eq!(known, snapshot.threads.is_some(), "{snapshot:?}");
    }
}
