//! What was planted as a secret must not be anywhere in the store.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::application::SECRET;

/// A value that is secret by its name: in what functions are called with, in every message, and in a line of the log.
pub(crate) const PASSWORD: &str = "planted-and-to-be-found-nowhere";

/// Files of the store that hold a secret.
pub(crate) fn in_files(folder: &Path) -> Vec<String> {
    let (mut problems, mut seen) = (Vec::new(), false);
    for file in files(folder) {
        let bytes = std::fs::read(&file).unwrap();
        seen |= holds(&bytes, PROOF);
        let held = SECRETS.iter().filter(|secret| holds(&bytes, secret));
        problems.extend(held.map(|secret| format!("{} holds {secret}", file.display())));
    }
    if !seen {
        problems.push("no file holds what is no secret, either".to_owned());
    }
    problems
}

/// What a row of the server's answers holds of them.
pub(crate) fn in_row(row: &Value) -> Option<String> {
    let text = row.to_string();
    let held = SECRETS.iter().find(|secret| text.contains(**secret));
    held.map(|secret| format!("{secret} is there: {text:.700}"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// What every function says, and what is no secret.
const PROOF: &str = "cell.";
const SECRETS: [&str; 2] = [PASSWORD, SECRET];
