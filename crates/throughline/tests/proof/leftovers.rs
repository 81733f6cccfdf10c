//! What a run may leave behind: nothing.

use std::time::Duration;

/// Processes that were started with this variable and have not ended.
fn processes_with(variable: &str) -> Vec<u32> {
    let has = |pid: &u32| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ
            .split(|byte| *byte == 0)
            .any(|entry| entry == variable.as_bytes())
    };
    pids().filter(has).collect()
}

/// Waits until there is none; those that were killed may take a moment to be gone.
pub(crate) async fn until_no_process_has(variable: &str) -> Result<(), String> {
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

fn pids() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

const MOMENTS: usize = 250;
