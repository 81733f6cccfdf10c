//! `cargo xtask budget`: whether the extension is still as small as it must be.
//!
//! Every environment of every function loads it and keeps it, so both limits are held by the tests
//! like any other promise. How fast it starts is shown beside a program that only registers, and not
//! held: time depends on what else the machine does.

mod platform;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::workspace_root;
use platform::Started;

/// What was found, as lines to show, and what is over its limit.
pub(crate) struct Budget {
    pub(crate) shown: Vec<String>,
    pub(crate) findings: Vec<String>,
}

/// Builds the extension as it is shipped, unless a built one is given, and weighs it.
pub(crate) fn run(built: Option<&str>) -> anyhow::Result<Budget> {
    let (extension, beside) = match built {
        Some(path) => (PathBuf::from(path), None),
        None => {
            let folder = build(&["--bin", BINARY, "--example", BESIDE])?;
            (
                folder.join(BINARY),
                Some(folder.join("examples").join(BESIDE)),
            )
        }
    };
    let bytes = std::fs::metadata(&extension)
        .with_context(|| format!("cannot see {}", extension.display()))?
        .len();
    let mut shown = vec![format!(
        "size {bytes} bytes stripped (goal {BYTES_GOAL}, at most {BYTES_MAX})"
    )];
    let mut findings = Vec::new();
    if bytes > BYTES_MAX {
        findings.push(format!(
            "the extension has {bytes} bytes, more than {BYTES_MAX}"
        ));
    }
    let started = median(&extension)?;
    let resident = started.resident_kib;
    shown.push(format!(
        "resident when idle {resident} KiB (at most {RESIDENT_KIB_MAX})"
    ));
    shown.push(format!("start: {started}"));
    if let Some(beside) = beside {
        shown.push(format!(
            "a program that only registers: {}",
            median(&beside)?
        ));
    }
    if resident > RESIDENT_KIB_MAX {
        findings.push(format!(
            "the idle extension holds {resident} KiB, more than {RESIDENT_KIB_MAX}"
        ));
    }
    Ok(Budget { shown, findings })
}

/// Builds parts of the extension with the profile that it is shipped with; returns the folder of the
/// results.
pub(crate) fn build(what: &[&str]) -> anyhow::Result<PathBuf> {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--quiet", "--profile", PROFILE])
        .args(["--package", BINARY, "--features", FEATURES])
        .args(what)
        .current_dir(workspace_root())
        .status()
        .context("cannot run cargo build")?;
    ensure!(status.success(), "cargo build failed");
    Ok(target_folder()?.join(PROFILE))
}

pub(crate) fn target_folder() -> anyhow::Result<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--no-deps"])
        .current_dir(workspace_root())
        .output()
        .context("cannot run cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata failed");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let folder = metadata["target_directory"].as_str();
    folder.map(PathBuf::from).context("no target directory")
}

/// Each figure's median on its own.
fn median(program: &Path) -> anyhow::Result<Started> {
    let started: Vec<Started> = (0..ROUNDS)
        .map(|_| platform::start(program))
        .collect::<anyhow::Result<_>>()?;
    fn middle<T: Ord + Copy>(started: &[Started], figure: impl Fn(&Started) -> T) -> T {
        let mut figures: Vec<T> = started.iter().map(figure).collect();
        figures.sort_unstable();
        figures[figures.len() / 2]
    }
    Ok(Started {
        register: middle(&started, |one| one.register),
        next: middle(&started, |one| one.next),
        processor: middle(&started, |one| one.processor),
        resident_kib: middle(&started, |one| one.resident_kib),
    })
}

pub(crate) const BINARY: &str = "throughline-extension";
pub(crate) const PROFILE: &str = "extension";
/// See the extension's `Cargo.toml`.
pub(crate) const FEATURES: &str = "small";
const BESIDE: &str = "register_only";
/// What a cold start has to read. The goal is 3 MB, and it had 2.8 before OTLP/gRPC, the metrics, the
/// ledger and the books in `/tmp` came in; with them it has 3,340,152. From here on it may only shrink:
/// lower this with it.
const BYTES_MAX: u64 = 3_400_000;
const BYTES_GOAL: u64 = 3_000_000;
/// 6 MiB of the function's memory.
const RESIDENT_KIB_MAX: u64 = 6 * 1024;
const ROUNDS: usize = 15;
