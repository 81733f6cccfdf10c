//! As much of Lambda as an extension sees until it waits for its first event.

use std::fmt::{self, Display};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// How a start went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Started {
    /// From exec to the register request.
    pub(super) register: Duration,
    /// From exec to the first `/next`.
    pub(super) next: Duration,
    /// Processor time of all threads until then.
    pub(super) processor: Duration,
    /// Resident memory once it sleeps.
    pub(super) resident_kib: u64,
}

impl Display for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "registers after {:.2} ms, asks for events after {:.2} ms and {:.2} ms of processor time, holds {} KiB",
            millis(self.register),
            millis(self.next),
            millis(self.processor),
            self.resident_kib
        )
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Starts `program` as an extension and measures it until it waits. It is killed then.
#[allow(clippy::disallowed_methods)] // It measures; there is no core to take `now`.
pub(super) fn start(program: &Path) -> anyhow::Result<Started> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // It is killed in the end, and the next one must not find what it left.
    let tmp = Folder::new()?;
    let begun = Instant::now();
    let child = Command::new(program)
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr()?.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "budget")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        // Nothing is sent before the first invocation, so nobody needs to be there.
        .env("THROUGHLINE_ENDPOINT", "https://127.0.0.1:9")
        .env("TMPDIR", &tmp.0)
        .env("THROUGHLINE_OTLP_LISTEN", "127.0.0.1:0")
        .env("THROUGHLINE_OTLP_GRPC_LISTEN", "127.0.0.1:0")
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let mut child = Running(child);
    let mut register = None;
    loop {
        child.ensure_alive()?;
        let (mut stream, request) = receive(&listener, &mut child)?;
        let since = begun.elapsed();
        let answer = match request.split(' ').nth(1).unwrap_or_default() {
            path if path.ends_with("/register") => {
                register = Some(since);
                r#"{"functionName":"budget","functionVersion":"1","handler":"h"}"#
            }
            path if path.ends_with("/telemetry") => r#""OK""#,
            path if path.ends_with("/event/next") => {
                let register = register.context("it asked for events before it registered")?;
                child.wait_until_asleep()?;
                return Ok(Started {
                    register,
                    next: since,
                    processor: child.processor()?,
                    resident_kib: child.resident_kib()?,
                });
            }
            other => bail!("it asked for {other}"),
        };
        let length = answer.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nlambda-extension-identifier: an-id\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
        )?;
    }
}

/// The next connection with its request. The extension's requests are small: head and body come
/// together, or the body is not looked at.
fn receive(listener: &TcpListener, child: &mut Running) -> anyhow::Result<(TcpStream, String)> {
    listener.set_nonblocking(true)?;
    let mut looks = 0;
    let mut stream = loop {
        match listener.accept() {
            Ok((stream, _)) => break stream,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                child.ensure_alive()?;
                looks += 1;
                ensure!(looks < LOOKS_MAX, "it does not call");
                std::thread::sleep(LOOK);
            }
            Err(error) => return Err(error.into()),
        }
    };
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        let count = stream.read(&mut piece)?;
        ensure!(count > 0, "a request ended early");
        request.extend_from_slice(&piece[..count]);
    }
    Ok((stream, String::from_utf8_lossy(&request).into_owned()))
}

/// A new one, gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    #[allow(clippy::disallowed_methods)] // The name is to be a new one.
    fn new() -> anyhow::Result<Self> {
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let name = format!(
            "throughline-budget-{}-{}",
            std::process::id(),
            nanos.as_nanos()
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is a few files in the folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// It is killed when it is dropped.
struct Running(Child);

impl Running {
    fn ensure_alive(&mut self) -> anyhow::Result<()> {
        let ended = self.0.try_wait()?;
        ensure!(ended.is_none(), "it ended: {}", ended.unwrap_or_default());
        Ok(())
    }

    fn file(&self, name: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{name}", self.0.id());
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    }

    /// Until what it does beside the call is done too.
    fn wait_until_asleep(&self) -> anyhow::Result<()> {
        for _ in 0..LOOKS_MAX {
            let stat = self.file("stat")?;
            let state = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            if state.starts_with('S') {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
        bail!("it does not come to rest")
    }

    fn processor(&self) -> anyhow::Result<Duration> {
        let mut nanos = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            let times = std::fs::read_to_string(task?.path().join("schedstat"))?;
            let running = times.split_whitespace().next().unwrap_or_default();
            nanos += running.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    fn resident_kib(&self) -> anyhow::Result<u64> {
        let status = self.file("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let value = line.and_then(|line| line.split_whitespace().next());
        value
            .context("no VmRSS")?
            .parse()
            .context("VmRSS is no number")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Short beside what is measured, and not so short that looking is what the processor does.
const LOOK: Duration = Duration::from_micros(50);
/// Long enough for a busy machine.
const LOOKS_MAX: u32 = 400_000;
