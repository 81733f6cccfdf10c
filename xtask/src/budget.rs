//! `cargo xtask budget`: whether the extension is still as small as it must be.
//!
//! Every environment of every function loads it and keeps it, so both limits are held by the tests
//! like any other promise. How fast it starts is shown beside a program that only registers, and not
//! held: time depends on what else the machine does.

mod platform;

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::dist::Arch;
use crate::shipped::{self, BINARY, Library};
use platform::Started;

/// What was found, as lines to show, and what is over its limit.
pub(crate) struct Budget {
    pub(crate) shown: Vec<String>,
    pub(crate) findings: Vec<String>,
}

/// Builds the extension as it is shipped, unless a built one is given, and weighs it.
pub(crate) fn run(built: Option<&str>) -> anyhow::Result<Budget> {
    let target = Arch::of_this_machine().target();
    let (extension, beside, library) = match built {
        Some(path) => (PathBuf::from(path), None, Library::Small),
        None => {
            let library = Library::find(target)?;
            let folder = build(&["--bin", BINARY, "--example", BESIDE], target, library)?;
            let beside = folder.join("examples").join(BESIDE);
            (folder.join(BINARY), Some(beside), library)
        }
    };
    let bytes_max = match library {
        Library::Small => BYTES_MAX,
        Library::Ready => BYTES_READY_MAX,
    };
    let bytes = std::fs::metadata(&extension)
        .with_context(|| format!("cannot see {}", extension.display()))?
        .len();
    let mut shown: Vec<String> = library.warning().map(str::to_owned).into_iter().collect();
    shown.push(format!("size {bytes} bytes stripped (at most {bytes_max})"));
    let mut findings = Vec::new();
    if bytes > bytes_max {
        findings.push(format!(
            "the extension has {bytes} bytes, more than {bytes_max}"
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

/// Builds parts of the extension as it is shipped; returns the folder of the results.
fn build(what: &[&str], target: &str, library: Library) -> anyhow::Result<PathBuf> {
    let status = shipped::command(env!("CARGO"), "build", target, library)
        .args(what)
        .status()
        .context("cannot run cargo build")?;
    ensure!(status.success(), "cargo build failed");
    shipped::folder(target)
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

const BESIDE: &str = "register_only";
/// What a cold start has to read.
const BYTES_MAX: u64 = 3_000_000;
/// The same with Rust's library as it comes, where no other can be made.
const BYTES_READY_MAX: u64 = 3_400_000;
/// 6 MiB of the function's memory.
const RESIDENT_KIB_MAX: u64 = 6 * 1024;
const ROUNDS: usize = 15;
