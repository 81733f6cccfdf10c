//! What the compiler cannot hold: which crate may use which, and what a file may look like.

mod layers;
mod sources;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::workspace_root;

/// Everything that is out of order, one line each.
pub(crate) fn run() -> anyhow::Result<Vec<String>> {
    let root = workspace_root();
    let files = tracked_files(&root)?;
    let mut findings = layers::check(&root)?;
    findings.extend(sources::check(&root, &files)?);
    Ok(findings)
}

/// The files that git knows, or would take, relative to the root.
fn tracked_files(root: &PathBuf) -> anyhow::Result<Vec<PathBuf>> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .context("cannot run git")?;
    ensure!(listed.status.success(), "git ls-files failed");
    let text = String::from_utf8(listed.stdout)?;
    let files = text.split('\0').filter(|name| !name.is_empty());
    Ok(files
        .map(PathBuf::from)
        .filter(|file| root.join(file).is_file())
        .collect())
}
