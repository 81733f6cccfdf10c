//! What is outside of an application: AWS, a payment provider, a mail server; and its users. Programs of the example, each
//! of which ends when its standard input does, however this program ended.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A running program of the example, and what it prints.
pub(super) struct Player {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    name: &'static str,
}

impl Player {
    /// Starts `play NAME` of the example in `folder`.
    pub(super) fn start(
        folder: &Path,
        name: &'static str,
        arguments: impl IntoIterator<Item = String>,
    ) -> anyhow::Result<Self> {
        let program: PathBuf = folder.join("play");
        let mut child = Command::new(&program)
            .arg(name)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C reaches everything in the terminal's group, and these are needed until the functions have stopped.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let pipes = (child.stdin.take(), child.stdout.take());
        let (Some(input), Some(output)) = pipes else {
            anyhow::bail!("{} has no pipes", program.display());
        };
        Ok(Self {
            child,
            input,
            lines: BufReader::new(output).lines(),
            name,
        })
    }

    /// The next line that it prints, as JSON.
    ///
    /// # Errors
    /// It ended, or prints something else.
    pub(super) async fn line(&mut self) -> anyhow::Result<Value> {
        let line = self.lines.next_line().await?;
        ensure!(line.is_some(), "`play {}` ended", self.name);
        serde_json::from_str(&line.unwrap_or_default())
            .with_context(|| format!("`play {}` says no JSON", self.name))
    }

    /// Lets it end, and ends it if it does not.
    pub(super) async fn stop(self) {
        let Self {
            mut child, input, ..
        } = self;
        drop(input);
        let _ = tokio::time::timeout(GRACE, child.wait()).await;
    }
}

/// Where the programs that are outside listen.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    pub(super) aws: String,
    pub(super) pay: String,
    pub(super) smtp: String,
    pub(super) mail: String,
}

impl Addresses {
    pub(super) fn of(line: &Value) -> anyhow::Result<Self> {
        let text = |name: &str| {
            let text = line[name].as_str().map(str::to_owned);
            text.with_context(|| format!("`play outside` does not say where {name} is"))
        };
        Ok(Self {
            aws: text("aws")?,
            pay: text("pay")?,
            smtp: text("smtp")?,
            mail: text("mail")?,
        })
    }
}

/// Whether somebody is there already.
pub(super) async fn listens(address: SocketAddr) -> bool {
    let connecting = tokio::net::TcpStream::connect(address);
    let connected = tokio::time::timeout(CONNECT, connecting).await;
    connected.is_ok_and(|connected| connected.is_ok())
}

const CONNECT: Duration = Duration::from_millis(200);
/// For programs that have nothing to finish.
const GRACE: Duration = Duration::from_secs(3);
