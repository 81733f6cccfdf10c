//! The server under test: a process that is started, asked what it uses, and ended.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::sys::statvfs::statvfs;
use nix::sys::time::TimeValLike;
use nix::unistd::Pid;
use serde_json::Value;

/// A running `throughline serve`; killed when it goes out of scope.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pid: Pid,
    /// OTLP over gRPC.
    pub otlp_grpc: SocketAddr,
    /// OTLP over HTTP.
    pub otlp_http: SocketAddr,
    /// The API.
    pub http: SocketAddr,
}

impl Server {
    /// Starts it on free ports; returns how long it took from exec until it answered. What it logs
    /// goes to `server.log` beside the data.
    pub fn start(program: &Path, data: &Path) -> anyhow::Result<(Self, Duration)> {
        Self::start_with(program, data, &[])
    }

    /// The same with more arguments.
    pub fn start_with(
        program: &Path,
        data: &Path,
        arguments: &[String],
    ) -> anyhow::Result<(Self, Duration)> {
        let log = data.with_extension("log");
        let log = File::options().create(true).append(true).open(&log)?;
        let begun = Instant::now();
        let mut child = Command::new(program)
            .args(["serve", "--json", "--data-dir"])
            .arg(data)
            .args(["--otlp-grpc", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0"])
            .args(["--http", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("its output is piped")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let addresses: Value = serde_json::from_str(&line)
            .with_context(|| format!("the server did not start, see {}.log", data.display()))?;
        let address = |name: &str| -> anyhow::Result<SocketAddr> {
            let text = addresses[name].as_str().context("an address")?;
            Ok(text.parse()?)
        };
        let server = Server {
            pid: Pid::from_raw(i32::try_from(child.id())?),
            child,
            otlp_grpc: address("otlp_grpc")?,
            otlp_http: address("otlp_http")?,
            http: address("http")?,
        };
        server.healthy()?;
        Ok((server, begun.elapsed()))
    }

    fn healthy(&self) -> anyhow::Result<()> {
        let mut stream = TcpStream::connect(self.http)?;
        write!(
            stream,
            "GET /healthz HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            self.http
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "not healthy: {answer}");
        Ok(())
    }

    /// Asks it to end, waits for that, and returns how long it took. It seals what it has first.
    pub fn stop(mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        kill(self.pid, Signal::SIGTERM)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(begun.elapsed())
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Processor time of all its threads so far.
    pub fn processor(&self) -> anyhow::Result<Duration> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        let (_, fields) = text.rsplit_once(") ").context("a name in brackets")?;
        let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<u64>);
        let ticks = ticks.sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS_A_SECOND))
    }

    /// Bytes of it in memory now.
    pub fn resident(&self) -> anyhow::Result<u64> {
        resident(self.pid)
    }

    /// Open file descriptors now.
    pub fn open_files(&self) -> anyhow::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.pid))?.count())
    }

    /// Watches its memory until it is asked.
    pub fn watch(&self) -> Watch {
        let (pid, over) = (self.pid, Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let mut seen = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                if let Ok(bytes) = resident(pid) {
                    seen.push(bytes as f64 / MIB);
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            seen
        });
        Watch { over, thread }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A look at the memory of a server, again and again.
#[derive(Debug)]
pub struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<f64>>,
}

impl Watch {
    /// What was seen, in MiB, every 50 ms.
    pub fn finish(self) -> Vec<f64> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

fn resident(pid: Pid) -> anyhow::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.context("no VmRSS")?.trim().trim_end_matches(" kB");
    Ok(kib.parse::<u64>()? * 1024)
}

/// Processor time of this process so far.
pub fn own_processor() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF);
    let micros = usage.map_or(0, |usage| {
        (usage.user_time() + usage.system_time()).num_microseconds()
    });
    Duration::from_micros(micros.unsigned_abs())
}

/// Bytes of a data directory by what they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Segments of spans, with their indexes.
    pub spans: u64,
    /// Segments of log records, with their indexes.
    pub logs: u64,
    /// The catalog, and all else that spans and log records share.
    pub shared: u64,
    /// What is not sealed yet.
    pub wal: u64,
    /// Files in all.
    pub files: u64,
}

/// Looks at every file below `data`.
pub fn sizes(data: &Path) -> anyhow::Result<Sizes> {
    let mut sizes = Sizes::default();
    for (path, bytes) in files(data)? {
        let inside = path.strip_prefix(data).unwrap_or(&path).to_string_lossy();
        sizes.files += 1;
        let count = match &*inside {
            inside if inside.starts_with("wal/") => &mut sizes.wal,
            inside if inside.starts_with("segments/spans-") => &mut sizes.spans,
            inside if inside.starts_with("segments/logs-") => &mut sizes.logs,
            _ => &mut sizes.shared,
        };
        *count += bytes;
    }
    Ok(sizes)
}

fn files(folder: &Path) -> anyhow::Result<Vec<(PathBuf, u64)>> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            // A segment may be compacted away while one looks.
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => open.push(entry.path()),
                Ok(meta) => found.push((entry.path(), meta.len())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(found)
}

/// Refuses where a folder with what is in it may not grow to this many bytes.
pub fn room(folder: &Path, bytes: u64) -> anyhow::Result<()> {
    let there: u64 = files(folder)?.iter().map(|(_, bytes)| bytes).sum();
    let bytes = bytes.saturating_sub(there);
    let disk = statvfs(folder).with_context(|| format!("cannot look at {}", folder.display()))?;
    let free = disk.blocks_available() * disk.fragment_size();
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    ensure!(
        free >= bytes,
        "this needs {:.1} GB more in {}, where {:.1} GB are free: take fewer rows or another folder",
        gigabytes(bytes),
        folder.display(),
        gigabytes(free)
    );
    Ok(())
}

/// How the machine is made to forget what it has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forget {
    /// Everything that is cached (`/proc/sys/vm/drop_caches`); needs root, and slows down all else.
    Everything,
    /// The files of the data directory (`posix_fadvise`); leaves what is mapped.
    TheData,
}

impl Forget {
    /// How it is said in a note.
    pub fn name(self) -> &'static str {
        match self {
            Forget::Everything => "drop_caches",
            Forget::TheData => "posix_fadvise",
        }
    }

    /// Does it.
    pub fn run(self, data: &Path) -> anyhow::Result<()> {
        match self {
            Forget::Everything => {
                nix::unistd::sync();
                fs::write("/proc/sys/vm/drop_caches", "3").context("cannot drop caches")
            }
            Forget::TheData => {
                for (path, _) in files(data)? {
                    let file = File::open(path)?;
                    posix_fadvise(file.as_fd(), 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
                }
                Ok(())
            }
        }
    }
}

/// Milliseconds that single `fdatasync`s of this disk take, each after 64 KiB.
pub fn fdatasyncs(folder: &Path, count: usize) -> anyhow::Result<Vec<f64>> {
    let path = folder.join("fdatasync");
    let mut file = File::create(&path)?;
    let bytes = vec![0x5a; 64 << 10];
    let mut took = Vec::with_capacity(count);
    for _ in 0..count {
        file.write_all(&bytes)?;
        let begun = Instant::now();
        file.sync_data()?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    fs::remove_file(path)?;
    if took.is_empty() {
        bail!("nothing was measured");
    }
    Ok(took)
}

/// Of `/proc/PID/stat`, on every Linux that Rust runs on.
const TICKS_A_SECOND: u64 = 100;
/// Bytes of a MiB.
pub const MIB: f64 = 1024.0 * 1024.0;
