//! What a test may leave behind: nothing.

use std::collections::BTreeSet;
use std::time::Duration;

/// The descriptors, sockets among them, and the children of this process.
#[derive(Debug)]
pub struct Inventory {
    descriptors: usize,
    children: BTreeSet<u32>,
}

impl Inventory {
    /// What there is now.
    pub fn take() -> Self {
        let descriptors = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        Self {
            descriptors,
            children: children(),
        }
    }

    /// Whether there is no more than there was; what ends in the background gets a moment to do so.
    ///
    /// # Errors
    /// What there is more.
    pub async fn holds_again(&self) -> Result<(), String> {
        let mut now = Self::take();
        for _ in 0..MOMENTS {
            if now.descriptors <= self.descriptors && now.children.is_subset(&self.children) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            now = Self::take();
        }
        Err(format!(
            "{} descriptors became {}, and these children are left: {:?}",
            self.descriptors,
            now.descriptors,
            now.children.difference(&self.children).collect::<Vec<_>>()
        ))
    }
}

/// Processes that were started with this variable and have not ended.
pub fn processes_with(variable: &str) -> Vec<u32> {
    let has = |pid: &u32| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ
            .split(|byte| *byte == 0)
            .any(|entry| entry == variable.as_bytes())
    };
    pids().filter(has).collect()
}

/// Waits until no process has it; those that were killed may take a moment to be gone.
///
/// # Errors
/// Those that are still there.
pub async fn until_no_process_has(variable: &str) -> Result<(), String> {
    for _ in 0..MOMENTS {
        if processes_with(variable).is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let left = processes_with(variable);
    let named = left.iter().map(|pid| {
        let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        format!("{pid} {}", command.replace('\0', " "))
    });
    Err(format!(
        "still there: {}",
        named.collect::<Vec<_>>().join(", ")
    ))
}

fn children() -> BTreeSet<u32> {
    let own = std::process::id().to_string();
    let is_child = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ")
            .and_then(|(_, rest)| rest.split(' ').nth(1))
            == Some(&own)
    };
    pids().filter(is_child).collect()
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten();
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

const MOMENTS: usize = 250;
