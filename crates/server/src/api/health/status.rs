//! The state as JSON.

use serde_json::{Value, json};

use super::{Seen, VERSION};

pub(super) fn render(seen: &Seen) -> Value {
    let (store, stats) = (&seen.store, &seen.store.stats);
    let signals = store.signals.iter().map(|of| {
        json!({
            "signal": of.signal.name(),
            "accepted_requests": of.accepted_requests,
            "accepted_rows": of.accepted_rows,
            "accepted_bytes": of.accepted_bytes,
            "buffered_rows": of.buffered_rows,
            "segments": of.segments,
            "segment_rows": of.segment_rows,
            "segment_bytes": of.segment_bytes,
            "dropped_segments": of.dropped_segments,
            "dropped_rows": of.dropped_rows,
            "dropped_bytes": of.dropped_bytes,
        })
    });
    let refusals = seen.refusals.iter();
    let refusals = refusals.map(|(reason, count)| ((*reason).to_owned(), json!(count)));
    json!({
        "version": VERSION,
        "uptime_seconds": seen.uptime.as_secs_f64(),
        "disk": seen.disk.as_ref().map(|disk| json!({
            "free_bytes": disk.free_bytes,
            "bytes": disk.bytes,
        })),
        "signals": signals.collect::<Vec<_>>(),
        "wal": {
            "files": store.wal_files,
            "bytes": store.wal_bytes,
            "syncs": stats.groups,
            "failures": stats.wal_failures,
            "skipped_bytes": stats.skipped_bytes,
        },
        "unsealed_bytes": stats.unsealed_bytes,
        "acknowledgements": {
            "count": store.acks.count(),
            "p50_ms": store.acks.quantile_millis(0.5),
            "p99_ms": store.acks.quantile_millis(0.99),
            "delayed": stats.delayed,
        },
        "seals": {"done": stats.seals, "failures": stats.seal_failures},
        "compaction": {
            "done": stats.compactions,
            "failures": stats.compaction_failures,
            "waiting_segments": store.unmerged_segments,
            "waiting_bytes": store.unmerged_bytes,
        },
        "duplicates": {"batches": stats.duplicates, "spans": stats.duplicate_rows},
        "forgotten_environments": stats.pruned_environments,
        "damaged": store.damaged,
        "refusals": serde_json::Map::from_iter(refusals),
        "detection": {
            "minutes": seen.detection.minutes,
            "failures": seen.detection.failures,
            "busy_seconds": seen.detection.busy.as_secs_f64(),
            "behind_seconds": seen.detection.behind.map(|behind| behind.as_secs_f64()),
            "subjects": seen.detection.watched,
            "left_out": seen.detection.left_out,
            "open_incidents": seen.detection.open,
            "saves": seen.detection.saves,
            "save_failures": seen.detection.save_failures,
            "state_bytes": seen.detection.state_bytes,
        },
        "actions": {
            "stopped": seen.actions.stopped.as_ref().map(|(who, why)| json!({"who": who, "why": why})),
        },
        "queries": {
            "open": seen.queries.open,
            "running": seen.queries.running,
            "answered": seen.queries.answered,
            "failed": seen.queries.failed,
            "too_slow": seen.queries.too_slow,
            "cancelled": seen.queries.cancelled,
        },
    })
}
