//! How many actions were open, and how many invocations at work, at the same time.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::world::Got;

/// When the first action was over: both its messages had been worked on.
pub(super) fn first_over(got: &[Got], by_request: &BTreeMap<&str, &Value>) -> Option<SystemTime> {
    let mut over = BTreeMap::new();
    for got in got {
        let (_, ended) = interval(by_request.get(got.request_id.as_str())?)?;
        for cell in &got.cells {
            let latest = over.entry(cell).or_insert(ended);
            *latest = ended.max(*latest);
        }
    }
    over.into_values().min()
}

/// Of how many invocations the functions were at work at the same time, at most.
pub(super) fn at_work(spans: &[Value]) -> usize {
    let mut invocations: BTreeMap<&str, (SystemTime, SystemTime)> = BTreeMap::new();
    for span in spans.iter().filter(|span| span["kind"] == "server") {
        let request = span["attributes"]["faas.invocation_id"].as_str();
        let (Some(request), Some((began, ended))) = (request, interval(span)) else {
            continue;
        };
        let whole = invocations.entry(request).or_insert((began, ended));
        *whole = (whole.0.min(began), whole.1.max(ended));
    }
    let mut changes: Vec<_> = invocations
        .into_values()
        .flat_map(|(began, ended)| [(began, 1), (ended, -1)])
        .collect();
    // At the same moment the end of one comes before the beginning of another.
    changes.sort_unstable();
    let running = changes.iter().scan(0_isize, |running, (_, change)| {
        *running += change;
        Some(*running)
    });
    running.max().unwrap_or_default().unsigned_abs()
}

fn interval(span: &Value) -> Option<(SystemTime, SystemTime)> {
    let nanos = |key: &str| Some(Duration::from_nanos(span[key].as_str()?.parse().ok()?));
    let began = SystemTime::UNIX_EPOCH + nanos("start_unix_nanos")?;
    Some((began, began + nanos("duration_nanos")?))
}
