//! The state as Prometheus reads it: the text format, version 0.0.4.

use std::fmt::{Display, Write};

use throughline_notify::{Reason, TellerHealth};
use throughline_store::SignalHealth;

use super::{Seen, VERSION};
use crate::actions::ActionsHealth;
use crate::alerts::AlertsHealth;

pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics. Sizes are bytes and times seconds; what only grows ends with `_total`.
pub(super) fn render(seen: &Seen) -> String {
    let mut text = Text::default();
    of_server(seen, &mut text);
    of_signals(&seen.store.signals, &mut text);
    of_store(seen, &mut text);
    let refusals = seen
        .refusals
        .iter()
        .map(|(reason, count)| ([("reason", *reason)], *count));
    text.family(
        "refused_requests_total",
        Kind::Counter,
        "Bodies refused, by reason.",
    );
    refusals.for_each(|(labels, count)| text.sample("refused_requests_total", &labels, count));
    of_queries(seen, &mut text);
    of_detection(seen, &mut text);
    of_actions(&seen.actions, &mut text);
    of_telling(&seen.telling, &mut text);
    of_alerts(&seen.alerts, &mut text);
    text.0
}

fn of_server(seen: &Seen, text: &mut Text) {
    text.family(
        "build_info",
        Kind::Gauge,
        "The version of the server; always 1.",
    );
    text.sample("build_info", &[("version", VERSION)], 1);
    text.gauge(
        "uptime_seconds",
        "Time since the server started.",
        seen.uptime.as_secs_f64(),
    );
    if let Some(disk) = &seen.disk {
        text.gauge(
            "disk_free_bytes",
            "Room on the disk of the data.",
            disk.free_bytes,
        );
        text.gauge("disk_bytes", "Size of the disk of the data.", disk.bytes);
    }
}

fn of_signals(signals: &[SignalHealth], text: &mut Text) {
    type Of = fn(&SignalHealth) -> u64;
    let families: [(&str, Kind, &str, Of); 10] = [
        (
            "accepted_requests_total",
            Kind::Counter,
            "Requests acknowledged and stored.",
            |it| it.accepted_requests,
        ),
        (
            "accepted_rows_total",
            Kind::Counter,
            "Spans, log records and points in them.",
            |it| it.accepted_rows,
        ),
        (
            "accepted_bytes_total",
            Kind::Counter,
            "Bytes of them, decompressed.",
            |it| it.accepted_bytes,
        ),
        (
            "buffered_rows",
            Kind::Gauge,
            "Rows that are in no segment yet.",
            |it| it.buffered_rows,
        ),
        ("segments", Kind::Gauge, "Segments.", |it| it.segments),
        ("segment_rows", Kind::Gauge, "Rows of segments.", |it| {
            it.segment_rows
        }),
        (
            "segment_bytes",
            Kind::Gauge,
            "Bytes of segments with their indexes.",
            |it| it.segment_bytes,
        ),
        (
            "retention_dropped_segments_total",
            Kind::Counter,
            "Segments dropped by retention.",
            |it| it.dropped_segments,
        ),
        (
            "retention_dropped_rows_total",
            Kind::Counter,
            "Rows of them.",
            |it| it.dropped_rows,
        ),
        (
            "retention_dropped_bytes_total",
            Kind::Counter,
            "Bytes of them.",
            |it| it.dropped_bytes,
        ),
    ];
    for (name, kind, help, of) in families {
        text.family(name, kind, help);
        for signal in signals {
            text.sample(name, &[("signal", signal.signal.name())], of(signal));
        }
    }
}

fn of_store(seen: &Seen, text: &mut Text) {
    let (store, stats) = (&seen.store, &seen.store.stats);
    text.gauge(
        "wal_files",
        "Files of the write-ahead log.",
        store.wal_files,
    );
    text.gauge("wal_bytes", "Bytes of them.", store.wal_bytes);
    text.gauge(
        "unsealed_bytes",
        "Bytes of log and memory that wait to be segments.",
        stats.unsealed_bytes,
    );
    text.counter(
        "wal_syncs_total",
        "Times that the log was synced.",
        stats.groups,
    );
    text.counter(
        "wal_failures_total",
        "Writes of the log that failed.",
        stats.wal_failures,
    );
    text.counter(
        "wal_skipped_bytes_total",
        "Bytes of the log that could not be read at the start.",
        stats.skipped_bytes,
    );
    text.family(
        "ack_seconds",
        Kind::Histogram,
        "Time from a checked body to its acknowledgement.",
    );
    for (bound, count) in store.acks.up_to() {
        text.sample(
            "ack_seconds_bucket",
            &[("le", bound.to_string().as_str())],
            count,
        );
    }
    text.sample("ack_seconds_bucket", &[("le", "+Inf")], store.acks.count());
    text.sample("ack_seconds_sum", &[], store.acks.sum.as_secs_f64());
    text.sample("ack_seconds_count", &[], store.acks.count());
    text.counter(
        "delayed_acks_total",
        "Acknowledgements held back because the store was nearly full.",
        stats.delayed,
    );
    text.counter("seals_total", "Buffers made into segments.", stats.seals);
    text.counter(
        "seal_failures_total",
        "Attempts at it that failed.",
        stats.seal_failures,
    );
    text.counter(
        "compactions_total",
        "Merges of segments.",
        stats.compactions,
    );
    text.counter(
        "compaction_failures_total",
        "Merges that failed.",
        stats.compaction_failures,
    );
    text.gauge(
        "compaction_waiting_segments",
        "Segments that are to be merged.",
        store.unmerged_segments,
    );
    text.gauge(
        "compaction_waiting_bytes",
        "Bytes of them.",
        store.unmerged_bytes,
    );
    text.counter(
        "duplicate_batches_total",
        "Batches sent again and not stored again.",
        stats.duplicates,
    );
    text.counter(
        "duplicate_spans_total",
        "Copies of spans left out by merges.",
        stats.duplicate_rows,
    );
    text.counter(
        "forgotten_environments_total",
        "Environments that retention forgot.",
        stats.pruned_environments,
    );
    text.gauge(
        "damaged_segments",
        "Segments and indexes found damaged since the start.",
        store.damaged,
    );
}

fn of_queries(seen: &Seen, text: &mut Text) {
    let queries = &seen.queries;
    text.gauge(
        "queries_open",
        "Queries that somebody waits for.",
        queries.open,
    );
    text.gauge(
        "queries_running",
        "Queries that have their turn.",
        queries.running,
    );
    text.family(
        "queries_total",
        Kind::Counter,
        "Queries that ended, by how.",
    );
    for (outcome, count) in [
        ("answered", queries.answered),
        ("failed", queries.failed),
        ("too_slow", queries.too_slow),
        ("cancelled", queries.cancelled),
    ] {
        text.sample("queries_total", &[("outcome", outcome)], count);
    }
}

fn of_detection(seen: &Seen, text: &mut Text) {
    let detection = &seen.detection;
    text.counter(
        "detection_minutes_total",
        "Minutes that were watched.",
        detection.minutes,
    );
    text.counter(
        "detection_failures_total",
        "Attempts at it that failed.",
        detection.failures,
    );
    text.family(
        "detection_seconds_total",
        Kind::Counter,
        "Time that it took, on the threads of queries.",
    );
    text.sample("detection_seconds_total", &[], detection.busy.as_secs_f64());
    if let Some(behind) = detection.behind {
        text.gauge(
            "detection_behind_seconds",
            "Time since the end of the last minute that was watched.",
            behind.as_secs_f64(),
        );
    }
    text.gauge(
        "detection_subjects",
        "Functions, operations and edges that are watched.",
        detection.watched,
    );
    text.gauge(
        "detection_left_out",
        "What was told of those that there was no room for, since its state began.",
        detection.left_out,
    );
    text.counter(
        "detection_saves_total",
        "Times that its state was written.",
        detection.saves,
    );
    text.counter(
        "detection_save_failures_total",
        "Times that this failed.",
        detection.save_failures,
    );
    text.gauge(
        "detection_state_bytes",
        "Bytes of its state on disk.",
        detection.state_bytes,
    );
    text.gauge("incidents_open", "Incidents that go on.", detection.open);
    let outer = detection.outer;
    text.family(
        "outer_alerts_total",
        Kind::Counter,
        "Alerts that other programs told, by what became of them.",
    );
    for (outcome, count) in [
        ("taken", outer.taken),
        ("own", outer.own),
        ("ignored", outer.ignored),
        ("no_room", outer.no_room),
    ] {
        text.sample("outer_alerts_total", &[("outcome", outcome)], count);
    }
}

fn of_actions(actions: &ActionsHealth, text: &mut Text) {
    text.family(
        "actions_in_force",
        Kind::Gauge,
        "Actions that were done and are not undone, by what they do.",
    );
    for (what, count) in actions.in_force {
        text.sample("actions_in_force", &[("do", what)], count);
    }
    text.gauge(
        "actions_overdue",
        "Those of them whose time has been over for a minute and more.",
        actions.overdue,
    );
    text.gauge(
        "actions_stopped",
        "1 while all actions are stopped.",
        u8::from(actions.stopped.is_some()),
    );
}

fn of_telling(telling: &TellerHealth, text: &mut Text) {
    let counters = &telling.counters;
    let outcomes = [
        ("sent", counters.sent),
        ("refused", counters.refused),
        ("given_up", counters.given_up),
        ("no_room", counters.no_room),
    ];
    text.family(
        "notifications_total",
        Kind::Counter,
        "Messages, by what became of them.",
    );
    for (outcome, count) in outcomes {
        text.sample("notifications_total", &[("outcome", outcome)], count);
    }
    text.family(
        "notices_not_told_total",
        Kind::Counter,
        "Notices that a receiver was not told, by reason.",
    );
    for reason in Reason::ALL.map(Reason::name) {
        let count = counters.dropped.get(reason).copied().unwrap_or(0);
        text.sample("notices_not_told_total", &[("reason", reason)], count);
    }
    text.counter(
        "notification_retries_total",
        "Attempts after which another one follows.",
        counters.retried,
    );
    text.gauge(
        "notifications_waiting",
        "Messages that wait to be sent.",
        telling.waiting,
    );
    text.gauge(
        "notices_held",
        "Notices that wait to be told with others.",
        telling.held,
    );
    text.counter(
        "notification_save_failures_total",
        "Times that what waits could not be written.",
        telling.save_failures,
    );
}

fn of_alerts(alerts: &AlertsHealth, text: &mut Text) {
    text.counter(
        "alert_questions_total",
        "Questions asked of the store for objectives and alerts.",
        alerts.questions,
    );
    text.counter(
        "alert_question_failures_total",
        "Those that had no answer.",
        alerts.failures,
    );
    text.counter(
        "alert_save_failures_total",
        "Times that what is known of them could not be written.",
        alerts.save_failures,
    );
    text.gauge(
        "alerts_firing",
        "Objectives and alerts of which somebody should know now.",
        alerts.firing,
    );
    if alerts.objectives.is_empty() {
        return;
    }
    text.family(
        "objective_budget_left_ratio",
        Kind::Gauge,
        "What is left of the budget of an objective; below zero once it is used up.",
    );
    for (name, left, _) in &alerts.objectives {
        text.sample(
            "objective_budget_left_ratio",
            &[("objective", name.as_str())],
            left,
        );
    }
    text.family(
        "objective_burn_rate",
        Kind::Gauge,
        "How many times faster than evenly it went in the last hour.",
    );
    for (name, _, burn) in &alerts.objectives {
        if let Some(burn) = burn {
            text.sample("objective_burn_rate", &[("objective", name.as_str())], burn);
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// The text as it grows. Names, helps and labels are ours, and need no escapes; names of objectives have nothing in
/// them that would.
#[derive(Default)]
struct Text(String);

impl Text {
    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, Kind::Gauge, help);
        self.sample(name, &[], value);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, Kind::Counter, help);
        self.sample(name, &[], value);
    }

    fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.line(format_args!("# HELP throughline_{name} {help}"));
        self.line(format_args!("# TYPE throughline_{name} {kind}"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(key, of)| format!("{key}=\"{}\"", escaped(of)))
            .collect();
        match labels.is_empty() {
            true => self.line(format_args!("throughline_{name} {value}")),
            false => self.line(format_args!(
                "throughline_{name}{{{}}} {value}",
                labels.join(",")
            )),
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("memory takes any text");
    }
}

/// The value of a label, as the text format writes it: names of objectives are people's.
fn escaped(value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    value.replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_cannot_end_a_label() {
        assert_eq!(escaped("a \"b\"\n\\"), "a \\\"b\\\"\\n\\\\");
    }
}
