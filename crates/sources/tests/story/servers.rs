//! Other people's servers: those that the tests of the layers use, too.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Servers that end with this.
pub(crate) struct Servers {
    process: Child,
    ports: BTreeMap<String, u16>,
}

impl Servers {
    /// Those of `wanted` that are installed, as soon as they listen. The others are told of, and `None` if that is all.
    pub(crate) fn start(wanted: &[&str]) -> Option<Self> {
        let debian = place("scripts/debian", &["where"]);
        let mongo = place("scripts/mongo", &["where"]);
        let packages = place("layers/python/venv", &["servers", "where"]);
        let is_there = |name: &&&str| {
            let is_there = match **name {
                "rabbitmq" | "mariadb" => debian.is_some(),
                "mongodb" => mongo.is_some(),
                _ => packages.is_some(),
            };
            if !is_there {
                eprintln!("skipped: {name} is not installed; make servers installs it");
            }
            is_there
        };
        let there: Vec<_> = wanted.iter().filter(is_there).collect();
        if there.is_empty() {
            return None;
        }
        let mut process = Command::new(packages.unwrap_or_else(|| "python3".to_owned()))
            .arg(root().join("layers/servers.py"))
            .args(there)
            .env("THROUGHLINE_DEBIAN", debian.unwrap_or_default())
            .env("THROUGHLINE_MONGO", mongo.unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let ports = serde_json::from_str(&line).expect("the servers start");
        Some(Self { process, ports })
    }

    /// Where one of them listens, if it is there.
    pub(crate) fn address(&self, name: &str) -> Option<String> {
        let port = self.ports.get(name)?;
        Some(format!("127.0.0.1:{port}"))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // They end when nobody holds the other end of their input.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// What a script prints that knows where something is, if it is there.
fn place(script: &str, arguments: &[&str]) -> Option<String> {
    let asked = Command::new(root().join(script)).args(arguments).output();
    let told = asked.ok().filter(|told| told.status.success())?;
    Some(String::from_utf8(told.stdout).ok()?.trim().to_owned())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
