use std::collections::{BTreeMap, HashMap, HashSet};

use throughline_telemetry::wire::{self, Request};
use throughline_telemetry::{LogRecord, Span, SpanId, SpanStatus, TraceId};

use super::plan::SPANS_MAX;
use super::*;
use crate::statistics::Statistics;

const ROWS: u64 = 30_000;

fn bodies(options: Options, signal: Signal, rows: u64, items: usize) -> Vec<Vec<u8>> {
    let mut corpus = Corpus::new(options, signal);
    let count = rows.div_ceil(items as u64);
    (0..count)
        .map(|_| {
            let mut body = Vec::new();
            corpus.body(items, &mut body);
            body
        })
        .collect()
}

fn spans() -> Vec<Span> {
    let of = |body: &Vec<u8>| match Request::from_protobuf(Signal::Traces, body).unwrap() {
        Request::Traces(request) => wire::spans(request).unwrap(),
        _ => unreachable!(),
    };
    let bodies = bodies(Options::of(ROWS), Signal::Traces, ROWS, 512);
    bodies.iter().flat_map(of).collect()
}

fn logs() -> Vec<LogRecord> {
    let of = |body: &Vec<u8>| match Request::from_protobuf(Signal::Logs, body).unwrap() {
        Request::Logs(request) => wire::logs(request).unwrap(),
        _ => unreachable!(),
    };
    let bodies = bodies(Options::of(ROWS), Signal::Logs, ROWS, 512);
    bodies.iter().flat_map(of).collect()
}

#[test]
fn the_same_options_make_the_same_bytes() {
    for signal in Signal::ALL {
        let once = bodies(Options::of(ROWS), signal, 5_000, 10);
        assert_eq!(once, bodies(Options::of(ROWS), signal, 5_000, 10));
        let other = Options {
            seed: 2,
            ..Options::of(ROWS)
        };
        assert_ne!(once, bodies(other, signal, 5_000, 10), "{signal}");
    }
}

/// A change of it makes figures of before and after incomparable: say so where they are kept.
#[test]
fn the_corpus_is_that_of_the_last_figures() {
    let sum = |signal| {
        let bodies = bodies(Options::of(ROWS), signal, 5_000, 512);
        crate::corpus::random::mix(
            0,
            bodies.concat().chunks(8).fold(0, |sum: u64, chunk| {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                sum.rotate_left(5) ^ u64::from_le_bytes(word)
            }),
        )
    };
    expect_test::expect![[r#"
        [
            305484228821339112,
            12249246239778225311,
            9560107281394900911,
        ]
    "#]]
    .assert_debug_eq(&Signal::ALL.map(sum));
}

#[test]
fn a_body_has_exactly_so_many_items_and_is_read_to_its_end() {
    for signal in Signal::ALL {
        for items in [1, 10, 512, 3_000] {
            for body in bodies(Options::of(ROWS), signal, 6_000, items) {
                let request = Request::from_protobuf(signal, &body).unwrap();
                assert_eq!(request.items(), items, "{signal}");
                // Written again by another encoder it is as long: nothing is in it that is not read.
                assert_eq!(request.to_protobuf().len(), body.len(), "{signal}");
            }
        }
    }
}

#[test]
fn how_it_is_cut_changes_nothing_else() {
    let spans = |items| {
        let bodies = bodies(Options::of(ROWS), Signal::Traces, 5_120, items);
        let all = bodies.iter().flat_map(|body| {
            let Ok(Request::Traces(request)) = Request::from_protobuf(Signal::Traces, body) else {
                unreachable!()
            };
            wire::spans(request).unwrap()
        });
        all.collect::<Vec<_>>()
    };
    assert_eq!(spans(10), spans(512));
}

#[test]
fn it_looks_as_it_is_documented_to() {
    for (signal, bytes, attributes) in [
        (Signal::Traces, 500..1_000, (9, 26)),
        (Signal::Logs, 250..800, (3, 10)),
        (Signal::Metrics, 50..1_000, (2, 2)),
    ] {
        let mut statistics = Statistics::default();
        for body in bodies(Options::of(ROWS), signal, ROWS, 512) {
            statistics.add(signal, &body).unwrap();
        }
        let each = statistics.bytes / statistics.items;
        assert!(bytes.contains(&each), "{signal}: {each} bytes");
        let (least, most) = statistics.attributes_range.unwrap();
        assert!(
            least >= attributes.0 && most <= attributes.1,
            "{signal}: {least} to {most} attributes"
        );
    }
}

#[test]
fn few_functions_do_most_of_the_work() {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for span in spans() {
        *counts.entry(span.service().to_owned()).or_default() += 1;
    }
    let mut counts: Vec<u64> = counts.into_values().collect();
    counts.sort_unstable();
    let all: u64 = counts.iter().sum();
    let top: u64 = counts.iter().rev().take(10).sum();
    assert!(counts.len() > 70, "{} services", counts.len());
    assert!(top * 10 > all * 3, "ten functions have {top} of {all}");
}

#[test]
fn a_trace_hangs_together() {
    let spans = spans();
    let mut of_trace: HashMap<TraceId, Vec<&Span>> = HashMap::new();
    for span in &spans {
        of_trace.entry(span.trace_id).or_default().push(span);
    }
    let corpus = Corpus::new(Options::of(ROWS), Signal::Traces);
    let (mut whole, mut events, mut links) = (0, 0, 0);
    for number in 0..corpus.traces() / 2 {
        let facts = corpus.trace(number);
        let all = &of_trace[&facts.id];
        if all.len() as u64 != facts.spans {
            continue; // the rest of it waits in a queue
        }
        whole += 1;
        let ids: HashSet<SpanId> = all.iter().map(|span| span.span_id).collect();
        assert_eq!(ids.len(), all.len(), "an id was used twice");
        let roots = all.iter().filter(|span| span.parent_id.is_none()).count();
        assert_eq!(roots, 1);
        for span in all {
            assert!(span.parent_id.is_none_or(|id| ids.contains(&id)));
            assert!(span.start < span.end, "{span:?}");
            let failed = span.status == SpanStatus::Error;
            assert_eq!(failed, !span.events.is_empty());
            events += span.events.len();
            links += span.links.len();
        }
        let first = all.iter().map(|span| span.start).min();
        assert_eq!(first, Some(facts.start));
        assert!(all.iter().any(|span| span.service() == facts.service));
    }
    assert!(whole * 10 > corpus.traces() / 2 * 8, "{whole} are whole");
    assert!(events > 50 && links > 50, "{events} events, {links} links");
}

#[test]
fn log_records_belong_to_spans_and_name_the_order_of_their_trace() {
    let ids: HashSet<_> = spans()
        .iter()
        .map(|span| (span.trace_id, span.span_id))
        .collect();
    let logs = logs();
    let known = |log: &&LogRecord| ids.contains(&(log.trace_id.unwrap(), log.span_id.unwrap()));
    let joined = logs.iter().filter(known).count();
    assert!(joined * 10 > logs.len() * 9, "{joined} of {}", logs.len());

    let facts = Corpus::new(Options::of(ROWS), Signal::Logs).trace(100);
    let naming = logs
        .iter()
        .filter(|log| log.body.to_text().contains(&facts.order));
    let traces: HashSet<_> = naming.map(|log| log.trace_id).collect();
    assert!(traces.iter().all(|trace| *trace == Some(facts.id)));
}

#[test]
fn traces_have_one_to_two_thousand_spans_and_the_mean_that_the_pace_counts_on() {
    let corpus = Corpus::new(Options::of(1_000_000), Signal::Traces);
    let sizes: Vec<u64> = (0..20_000)
        .map(|number| corpus.trace(number).spans)
        .collect();
    assert_eq!(sizes.iter().min(), Some(&1));
    let most = *sizes.iter().max().unwrap();
    assert!(most > 1_500 && most <= SPANS_MAX, "{most}");
    let mean = sizes.iter().sum::<u64>() as f64 / sizes.len() as f64;
    assert!((mean / SPANS_MEAN - 1.0).abs() < 0.05, "{mean}");
}
