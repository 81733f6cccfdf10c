use throughline_telemetry::Span;
use throughline_testkit::builders::span;

use super::*;
use crate::rollup::SpanSums;
use crate::testing::span_batch;

fn fold(spans: &[Span]) -> Fold {
    let mut sums = SpanSums::new();
    sums.add(&span_batch(spans)).unwrap();
    sums.rollup
}

/// Service, name, minute and count of each row.
fn show(fold: &Fold) -> Vec<String> {
    let rows = fold.finish();
    let text = |at: usize, row: usize| {
        let column = arrow::util::display::array_value_to_string(rows.column(at), row);
        column.unwrap()
    };
    let shown = (0..rows.num_rows()).map(|row| {
        let time = text(0, row);
        format!(
            "{} {} {} {}",
            text(1, row),
            text(2, row),
            &time[11..16],
            text(5, row)
        )
    });
    shown.collect()
}

fn at(second: u64, name: &str, id: u64) -> Span {
    let mut span = span("shop").named(name).in_trace(1).id(id).build();
    span.start = UnixNanos(second * 1_000_000_000);
    span.end = UnixNanos(span.start.0 + 5_000_000);
    span
}

#[test]
fn spans_are_counted_by_the_minute_and_name() {
    let spans = [at(1, "a", 1), at(59, "a", 2), at(60, "a", 3), at(3, "b", 4)];
    assert_eq!(
        show(&fold(&spans)),
        ["shop a 00:00 2", "shop a 00:01 1", "shop b 00:00 1"]
    );
}

#[test]
fn of_copies_the_one_that_ended_last_counts() {
    let mut longer = at(70, "a", 1);
    longer.end = UnixNanos(100 * 1_000_000_000);
    let folded = fold(&[at(1, "a", 1), at(2, "b", 2), longer, at(2, "b", 2)]);
    assert_eq!(show(&folded), ["shop a 00:01 1", "shop b 00:00 1"]);
    assert_eq!(folded.spans(), 2);
}

#[test]
fn names_beyond_the_limit_are_counted_together() {
    let spans: Vec<Span> = (0..ROLLUP_SERVICE_NAMES_MAX as u64 + 20)
        .map(|n| at(1, &format!("get {n:04}"), n + 1))
        .collect();
    let folded = fold(&spans);
    assert_eq!(folded.others(), 20);
    assert_eq!(show(&folded)[0], "shop (other) 00:00 20");
    assert_eq!(show(&folded).len(), ROLLUP_SERVICE_NAMES_MAX + 1);
    assert_eq!(folded.spans() as usize, spans.len());
}

#[test]
fn environments_beyond_the_limit_are_counted_together() {
    let spans: Vec<Span> = (0..ROLLUP_ENVIRONMENTS_MAX as u64 + 20)
        .map(|n| {
            let branch = format!("branch-{n}");
            let built = span("shop").named("get").in_trace(1).id(n + 1);
            built
                .resource_attribute("deployment.environment.name", branch)
                .build()
        })
        .collect();
    let folded = fold(&spans);
    assert_eq!(folded.others(), 20);
    let rows = folded.finish();
    assert_eq!(rows.num_rows(), ROLLUP_ENVIRONMENTS_MAX + 1);
    let together = show(&folded).into_iter().filter(|row| row.ends_with(" 20"));
    assert_eq!(together.count(), 1);
}
