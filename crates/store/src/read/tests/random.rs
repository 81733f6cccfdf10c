//! Random rows, random questions, and a loop over all rows that knows the answers.

use std::collections::BTreeMap;

use fastrand::Rng;
use throughline_telemetry::SpanStatus;

use super::*;

/// A search that may look at little goes on where it stopped, leaves nothing out and shows nothing
/// twice; and what it finds is what a loop over all rows finds.
#[tokio::test]
async fn searches_agree_with_a_loop_over_all_rows() {
    for seed in 0..40 {
        let mut rng = Rng::with_seed(seed);
        let directory = TestDirectory::new();
        let mut store = directory.open();
        let mut spans = Vec::new();
        for _ in 0..rng.u64(1..12) {
            let mut batch: Vec<Span> = (0..rng.usize(1..9))
                .map(|_| random_span(&mut rng))
                .collect();
            if let (true, Some(again)) = (rng.bool(), rng.choice(&spans)) {
                batch.push(Span::clone(again));
            }
            put(&store, &batch).await;
            spans.extend(batch);
            match rng.u32(0..7) {
                0 | 1 => store.seal().unwrap(),
                3 => store.compact(moment(1 << 30)).unwrap(),
                2 => {
                    drop(store);
                    store = directory.open();
                }
                _ => {}
            }
        }
        for _ in 0..20 {
            check_traces(
                &store,
                &spans,
                &random_trace_filter(&mut rng),
                &mut rng,
                seed,
            );
        }
    }
}

fn random_span(rng: &mut Rng) -> Span {
    let number = rng.u64(1..20);
    let minutes = rng.u64(0..40);
    let built = span(["shop", "mail", "stock"][rng.usize(0..3)])
        .named(["GET /", "POST /", "send"][rng.usize(0..3)])
        .in_trace(number)
        .id(rng.u64(..))
        // Few distinct starts, so that traces with the same start occur.
        .at(minutes * 60_000)
        .lasting(rng.u64(0..5) * 100)
        .attribute("status", ["200", "500"][rng.usize(0..2)]);
    if rng.u32(0..8) == 0 {
        built.error().build()
    } else {
        built.build()
    }
}

fn random_trace_filter(rng: &mut Rng) -> TraceFilter {
    let mut maybe = |chance: u32| rng.u32(0..chance) == 0;
    let mut filter = TraceFilter {
        service: maybe(3).then(|| "mail".to_owned()),
        operation: maybe(4).then(|| "send".to_owned()),
        status: maybe(3).then_some(TraceStatus::Error),
        min_duration: maybe(4).then(|| Duration::from_millis(400)),
        ..TraceFilter::default()
    };
    if maybe(4) {
        filter
            .attributes
            .push(("status".to_owned(), "500".to_owned()));
    }
    if maybe(6) {
        filter.status = Some(TraceStatus::Ok);
    }
    filter.from = (rng.u32(0..3) == 0).then(|| moment(rng.u64(0..40) * 60_000));
    filter.to = (rng.u32(0..3) == 0).then(|| moment(rng.u64(0..40) * 60_000));
    filter.limit = rng.usize(1..9);
    filter
}

fn check_traces(store: &Store, spans: &[Span], filter: &TraceFilter, rng: &mut Rng, seed: u64) {
    let expected = loop_over_spans(spans, filter);
    let mut filter = filter.clone();
    let mut found = Vec::new();
    loop {
        let mut reader = store.reader();
        reader.work_max = if rng.bool() {
            WORK_MAX
        } else {
            rng.u64(1..3000)
        };
        let page = reader.find_traces(&filter).unwrap();
        let left = expected.len() - found.len();
        let total = usize::try_from(page.total).unwrap();
        if page.truncated {
            assert!(total <= left, "seed {seed}: {total} of {left}, {filter:?}");
        } else {
            assert_eq!(total, left, "seed {seed}: {filter:?}");
        }
        assert!(page.traces.len() <= filter.limit);
        found.extend(page.traces);
        match page.next {
            Some(next) => filter.after = Some(next),
            None => break,
        }
    }
    assert_eq!(ids(&found), ids(&expected), "seed {seed}: {filter:?}");
    for ((_, found), (_, expected)) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "seed {seed}: {filter:?}");
    }
}

fn loop_over_spans(spans: &[Span], filter: &TraceFilter) -> Vec<(TraceId, Vec<Span>)> {
    let mut traces: BTreeMap<TraceId, Vec<Span>> = BTreeMap::new();
    for span in spans {
        let trace = traces.entry(span.trace_id).or_default();
        if !trace.contains(span) {
            trace.push(span.clone());
        }
    }
    let mut found: Vec<(TraceId, Vec<Span>)> = traces
        .into_iter()
        .filter(|(_, spans)| expected_to_pass(spans, filter))
        .collect();
    for (_, spans) in &mut found {
        spans.sort_by_key(|span| (span.start, span.span_id));
    }
    found.sort_by_key(|(id, spans)| (Reverse(spans[0].start), *id));
    found
}

/// Says again in plain words what [`TraceFilter`] says.
fn expected_to_pass(spans: &[Span], filter: &TraceFilter) -> bool {
    let start = spans.iter().map(|span| span.start).min().unwrap();
    let end = spans.iter().map(|span| span.end).max().unwrap();
    let failed = spans.iter().any(|span| span.status == SpanStatus::Error);
    let one_span = spans.iter().any(|span| {
        filter
            .service
            .as_deref()
            .is_none_or(|service| service == span.service())
            && filter
                .operation
                .as_ref()
                .is_none_or(|name| *name == span.name)
            && filter
                .attributes
                .iter()
                .all(|(key, value)| span.attributes.text(key) == Some(value))
    });
    one_span
        && filter
            .status
            .is_none_or(|status| (status == TraceStatus::Error) == failed)
        && filter
            .min_duration
            .is_none_or(|min| end.since(start) >= min)
        && filter.from.is_none_or(|from| start >= from)
        && filter.to.is_none_or(|to| start < to)
}
