//! What the kernel knows of the function's processes: memory, processor time, network, files,
//! threads, and `/tmp`. Read when an invocation begins, and when it ends; where the next one begins
//! before that is told, its beginning is the end of the one before it.
//!
//! Here are the parsers of the kernel's texts and the difference of two readings; the files are
//! read at the edge. In Lambda `/proc` shows the runtime's processes and the extensions'; our own
//! does not count. What cannot be read is not known, and never zero.

use std::time::Duration;

use throughline_telemetry::Attributes;

/// What the kernel said at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Memory that the processes have, and the sum of the most that each has had.
    pub resident_bytes: Option<u64>,
    /// See [`Snapshot::resident_bytes`].
    pub peak_bytes: Option<u64>,
    /// Processor time of the processes and of those that they have waited for, since they began.
    pub user: Option<Duration>,
    /// See [`Snapshot::user`].
    pub system: Option<Duration>,
    /// How many threads they have.
    pub threads: Option<u64>,
    /// How many files they have open.
    pub open_files: Option<u64>,
    /// Bytes received over the network, since the machine began.
    pub received_bytes: Option<u64>,
    /// Bytes sent.
    pub sent_bytes: Option<u64>,
    /// Used in `/tmp`.
    pub tmp_used_bytes: Option<u64>,
    /// All of `/tmp`.
    pub tmp_size_bytes: Option<u64>,
    /// Memory of the control group, page cache and extensions included.
    pub group_bytes: Option<u64>,
    /// The most that the control group has had.
    pub group_peak_bytes: Option<u64>,
    /// How long the control group had to wait because it had used its share of the processor.
    pub throttled: Option<Duration>,
    /// How often the kernel has killed a process because there was no more memory.
    pub out_of_memory: Option<u64>,
}

/// When a reading is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// An invocation begins, and the one before it has ended.
    Begin,
    /// The platform says that it is over.
    End,
}

/// One process, as `/proc/PID/stat` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Processor time in user mode, children that were waited for included.
    pub user: Duration,
    /// The same in the kernel.
    pub system: Duration,
    /// How many threads it has.
    pub threads: u64,
    /// Memory it has.
    pub resident_bytes: u64,
}

impl Snapshot {
    /// Counts a process in.
    pub fn add(&mut self, process: &Process, peak_bytes: Option<u64>, open_files: Option<u64>) {
        let more = |sum: &mut Option<u64>, part: Option<u64>| {
            if let Some(part) = part {
                *sum = Some(sum.unwrap_or(0).saturating_add(part));
            }
        };
        more(&mut self.resident_bytes, Some(process.resident_bytes));
        more(&mut self.peak_bytes, peak_bytes);
        more(&mut self.threads, Some(process.threads));
        more(&mut self.open_files, open_files);
        for (sum, part) in [
            (&mut self.user, process.user),
            (&mut self.system, process.system),
        ] {
            *sum = Some(sum.unwrap_or_default().saturating_add(part));
        }
    }

    /// What was used between two readings, and what is in use at the second, as attributes.
    pub fn since(&self, begin: &Snapshot) -> Usage {
        let time = |end: Option<Duration>, begin: Option<Duration>| end?.checked_sub(begin?);
        let more = |end: Option<u64>, begin: Option<u64>| end?.checked_sub(begin?);
        Usage {
            user: time(self.user, begin.user),
            system: time(self.system, begin.system),
            throttled: time(self.throttled, begin.throttled).filter(|time| !time.is_zero()),
            received_bytes: more(self.received_bytes, begin.received_bytes),
            sent_bytes: more(self.sent_bytes, begin.sent_bytes),
            ran_out_of_memory: more(self.out_of_memory, begin.out_of_memory)
                .is_some_and(|more| more > 0),
            group_peak_before: begin.group_peak_bytes,
            end: *self,
        }
    }
}

/// What an invocation used. What began or ended meanwhile can make a difference unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time in user mode.
    pub user: Option<Duration>,
    /// Processor time in the kernel.
    pub system: Option<Duration>,
    /// Waiting for a share of the processor.
    pub throttled: Option<Duration>,
    /// Received over the network.
    pub received_bytes: Option<u64>,
    /// Sent over the network.
    pub sent_bytes: Option<u64>,
    /// Whether the kernel killed a process meanwhile for want of memory.
    pub ran_out_of_memory: bool,
    /// The most that the control group had had before.
    pub group_peak_before: Option<u64>,
    /// The reading at the end.
    pub end: Snapshot,
}

impl Usage {
    /// Whether the control group has come to use as much as the function may have. For a process
    /// that was killed meanwhile that is reason enough.
    pub fn reached(&self, memory_mb: i64) -> bool {
        let all = u64::try_from(memory_mb).unwrap_or(0) << 20;
        let before = self.group_peak_before.is_some_and(|before| before < all);
        before && all > 0 && self.end.group_peak_bytes.is_some_and(|peak| peak >= all)
    }

    /// As attributes of the invocation's span.
    pub fn attributes(&self) -> Attributes {
        let mut attributes = Attributes::default();
        for (key, time) in [
            ("throughline.cpu.user_ms", self.user),
            ("throughline.cpu.system_ms", self.system),
            ("throughline.cpu.throttled_ms", self.throttled),
        ] {
            if let Some(time) = time {
                attributes.set(key, time.as_secs_f64() * 1e3);
            }
        }
        for (key, number) in [
            ("throughline.network.received_bytes", self.received_bytes),
            ("throughline.network.sent_bytes", self.sent_bytes),
            ("throughline.memory.resident_bytes", self.end.resident_bytes),
            ("throughline.memory.peak_bytes", self.end.peak_bytes),
            ("throughline.memory.group_bytes", self.end.group_bytes),
            (
                "throughline.memory.group_peak_bytes",
                self.end.group_peak_bytes,
            ),
            ("throughline.files.open", self.end.open_files),
            ("throughline.threads", self.end.threads),
            ("throughline.tmp.used_bytes", self.end.tmp_used_bytes),
            ("throughline.tmp.size_bytes", self.end.tmp_size_bytes),
        ] {
            if let Some(number) = number.and_then(|number| i64::try_from(number).ok()) {
                attributes.set(key, number);
            }
        }
        attributes
    }
}

/// Whether a POST of the Telemetry API tells that an invocation is over. Inside of a string the
/// quotes would be escaped, so that no line of text can say it.
pub fn tells_end(body: &[u8]) -> bool {
    let text = std::str::from_utf8(body).unwrap_or_default();
    text.contains(RUNTIME_DONE)
}

/// Whether it tells that of this invocation, in the record of that event.
pub fn tells_end_of(body: &[u8], request_id: &str) -> bool {
    let text = std::str::from_utf8(body).unwrap_or_default();
    text.match_indices(RUNTIME_DONE).any(|(at, _)| {
        let rest = &text[at + RUNTIME_DONE.len()..];
        let end = rest.find("\"platform.").unwrap_or(rest.len());
        rest[..end].contains(request_id)
    })
}

/// `/proc/PID/stat`. The name of the program is in parentheses and may hold anything.
pub fn stat(text: &str) -> Option<Process> {
    let (_, after) = text.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_ascii_whitespace().take(STAT_FIELDS).collect();
    // The third field of the file is the first here.
    let number = |nth: usize| fields.get(nth - 3)?.parse::<u64>().ok();
    let ticks = |nth: usize| number(nth)?.checked_add(number(nth + 2)?);
    Some(Process {
        user: Duration::from_millis(ticks(14)?.checked_mul(TICK_MS)?),
        system: Duration::from_millis(ticks(15)?.checked_mul(TICK_MS)?),
        threads: number(20)?,
        resident_bytes: number(24)?.checked_mul(PAGE_BYTES)?,
    })
}

/// The most memory that a process has had, of `/proc/PID/status`.
pub fn peak_bytes(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// Received and sent, of `/proc/net/dev`: over the interface that leads out of a Lambda
/// environment, else over all but the loopback. The others in Lambda lead to the platform itself.
pub fn network(text: &str) -> Option<(u64, u64)> {
    let interfaces = text.lines().filter_map(|line| {
        let (name, numbers) = line.split_once(':')?;
        let mut numbers = numbers.split_ascii_whitespace();
        let received = numbers.next()?.parse::<u64>().ok()?;
        let sent = numbers.nth(7)?.parse::<u64>().ok()?;
        Some((name.trim(), received, sent))
    });
    let all: Vec<_> = interfaces.take(INTERFACES_MAX).collect();
    let outward = all.iter().find(|(name, ..)| *name == LAMBDA_INTERFACE);
    if let Some((_, received, sent)) = outward {
        return Some((*received, *sent));
    }
    let rest = all.iter().filter(|(name, ..)| *name != "lo");
    rest.map(|(_, received, sent)| (*received, *sent))
        .reduce(|sum, more| (sum.0.saturating_add(more.0), sum.1.saturating_add(more.1)))
}

/// How often the kernel has killed for want of memory, of `/proc/vmstat`.
pub fn out_of_memory(text: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix("oom_kill "))?
        .trim()
        .parse()
        .ok()
}

/// Files of our control group: where memory, its peak and processor time are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupFiles {
    /// The memory in use.
    pub memory: String,
    /// The most it has been.
    pub peak: String,
    /// Among others, how long it had to wait.
    pub cpu: String,
    /// The ids of its processes.
    pub processes: String,
}

/// The control group's files, of `/proc/self/cgroup`: version 2 if it has a path there, else version
/// 1. `None` in the root group, which is the whole machine's.
pub fn group_files(text: &str) -> Option<GroupFiles> {
    let of = |wanted: &str| {
        text.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':');
            let controllers = parts.nth(1)?;
            let path = parts.next()?;
            let is_it = controllers.split(',').any(|name| name == wanted);
            let usable = path.len() > 1 && !path.contains("..");
            (is_it && usable).then_some(path)
        })
    };
    if let Some(path) = of("") {
        let root = format!("/sys/fs/cgroup{path}");
        return Some(GroupFiles {
            memory: format!("{root}/memory.current"),
            peak: format!("{root}/memory.peak"),
            cpu: format!("{root}/cpu.stat"),
            processes: format!("{root}/cgroup.procs"),
        });
    }
    let memory = format!("/sys/fs/cgroup/memory{}", of("memory")?);
    Some(GroupFiles {
        peak: format!("{memory}/memory.max_usage_in_bytes"),
        processes: format!("{memory}/cgroup.procs"),
        memory: format!("{memory}/memory.usage_in_bytes"),
        cpu: format!(
            "/sys/fs/cgroup/cpu{}/cpu.stat",
            of("cpu").unwrap_or_default()
        ),
    })
}

/// How long the group had to wait for its share of the processor, of `cpu.stat`.
pub fn throttled(text: &str) -> Option<Duration> {
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse::<u64>().ok()
    };
    let micros = of("throttled_usec ").map(Duration::from_micros);
    micros.or_else(|| of("throttled_time ").map(Duration::from_nanos))
}

const RUNTIME_DONE: &str = "\"platform.runtimeDone\"";
/// Beyond so many processes this is a whole machine and no function's environment. Then those of
/// our control group are the function's, if there is one and it has no more.
pub const PROCESSES_MAX: usize = 64;
/// Open files are counted up to here, by listing them.
pub const OPEN_FILES_MAX: u64 = 4096;
/// No file that is read here is longer, but `/proc/vmstat`, of which the middle is enough.
pub const FILE_BYTES_MAX: usize = 16 << 10;
/// The kernel's unit for programs is a hundredth of a second on all processors that Lambda has.
const TICK_MS: u64 = 10;
/// Of all processors that Lambda has.
const PAGE_BYTES: u64 = 4096;
const STAT_FIELDS: usize = 24;
const INTERFACES_MAX: usize = 64;
const LAMBDA_INTERFACE: &str = "vinternal_1";

#[cfg(test)]
mod tests;
