use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, Int64Type, UInt8Type};
use fastrand::Rng;
use throughline_telemetry::{HistogramSum, Span, SpanKind};
use throughline_testkit::{moment, span};

use super::*;
use crate::rollup::MINUTE_NANOS;
use crate::testing::{TestDirectory, put};

const DAYS: u64 = 4;
const DAY_MS: u64 = 86_400_000;

fn random_spans(rng: &mut Rng, from: u64, count: u64) -> Vec<Span> {
    let spans = (from..from + count).map(|number| {
        let built = span(["shop", "mail", "stock"][rng.usize(0..3)])
            .named(["GET /", "send", "pay"][rng.usize(0..3)])
            .kind([SpanKind::Server, SpanKind::Client][rng.usize(0..2)])
            .in_trace(1 + number)
            .id(1 + number)
            .at(rng.u64(0..DAYS * DAY_MS))
            .lasting(rng.u64(1..900))
            .attribute("faas.coldstart", rng.bool());
        let built = match rng.choice(["prod", "test", ""]) {
            Some("") | None => built,
            Some(name) => built.resource_attribute("deployment.environment.name", name),
        };
        match rng.u32(0..5) {
            0 => built.error().build(),
            _ => built.build(),
        }
    });
    spans.collect()
}

/// By service, name, kind, status and environment: count, milliseconds in all, least and greatest, cold starts, durations.
type Totals = BTreeMap<(String, String, u8, u8, String), (i64, f64, [f64; 2], i64, HistogramSum)>;

fn totals(found: &RolledUp) -> Totals {
    let mut totals = Totals::new();
    for rows in &found.batches {
        let texts = |at: usize| rows.column(at).as_string::<i32>();
        let small = |at: usize| rows.column(at).as_primitive::<UInt8Type>();
        let whole = |at: usize| rows.column(at).as_primitive::<Int64Type>();
        // To a tenth of a millisecond: sums of another order differ in their last digits.
        let millis = |at: usize, row| {
            let value = rows.column(at).as_primitive::<Float64Type>().value(row);
            format!("{value:.1}").parse::<f64>().unwrap()
        };
        for row in 0..rows.num_rows() {
            let [service, name] = [1, 2].map(|at| texts(at).value(row).to_owned());
            let [kind, status] = [3, 4].map(|at| small(at).value(row));
            let environment = texts(11).value(row).to_owned();
            let of = totals.entry((service, name, kind, status, environment));
            let of = of.or_insert((0, 0.0, [f64::MAX, 0.0], 0, HistogramSum::default()));
            of.0 += whole(5).value(row);
            of.1 += millis(6, row);
            of.2 = [of.2[0].min(millis(7, row)), of.2[1].max(millis(8, row))];
            of.3 += whole(9).value(row);
            of.4.add(rows.column(10).as_binary::<i32>().value(row));
        }
    }
    // As bytes and back, so that room for more buckets is no difference.
    for (.., durations) in totals.values_mut() {
        let bytes = durations.to_bytes();
        *durations = HistogramSum::default();
        durations.add(&bytes);
    }
    totals
}

/// The same without durations.
fn counts(found: &RolledUp) -> Totals {
    let mut totals = totals(found);
    for (.., durations) in totals.values_mut() {
        *durations = HistogramSum::default();
    }
    totals
}

/// Whatever is added up for hours and days is what the minutes say, before and after segments are merged, with copies,
/// what is late and what is not sealed.
#[tokio::test]
async fn sums_over_many_rollups_are_those_of_their_minutes() {
    for seed in 0..3 {
        let mut rng = Rng::with_seed(seed);
        let directory = TestDirectory::new();
        let store = directory.open();
        let spans = random_spans(&mut rng, 0, 400);
        put(&store, &spans).await;
        store.seal().unwrap();
        put(&store, &random_spans(&mut rng, 400, 100)).await;
        store.seal().unwrap();
        let steps: [&dyn Fn(); 2] = [&|| (), &|| {
            store.compact(moment(30 * DAY_MS)).unwrap();
        }];
        let mut added_up = 0;
        for step in steps {
            step();
            for _ in 0..8 {
                let mut times = [0; 2].map(|_| moment(rng.u64(0..DAYS * DAY_MS)));
                times.sort_unstable();
                let bounds = Bounds {
                    from: Some(times[0]),
                    to: Some(times[1]),
                    ..Bounds::default()
                };
                let scan = store.scan();
                let apart = Apart {
                    names: true,
                    environments: true,
                };
                let rolled = |step| scan.rolled_up(&bounds, step, apart, &|| true).unwrap();
                let minutes = rolled(Some(MINUTE_NANOS));
                for _ in 0..2 {
                    let counted = scan.counted(&bounds).unwrap();
                    assert_eq!(counts(&counted), counts(&minutes), "seed {seed}, {times:?}");
                    assert_eq!(counted.rollups, minutes.rollups, "seed {seed}");
                    assert_eq!(counted.parts, minutes.parts, "seed {seed}");
                }
                for step in [None, None, Some(2 * 24 * 60 * MINUTE_NANOS)] {
                    let at_once = rolled(step);
                    assert_eq!(totals(&at_once), totals(&minutes), "seed {seed}, {times:?}");
                    assert_eq!(at_once.rollups, minutes.rollups, "seed {seed}");
                    assert_eq!(at_once.parts, minutes.parts, "seed {seed}");
                    added_up += u64::from(at_once.rows < minutes.rows);
                }
            }
            put(&store, &random_spans(&mut rng, 500, 20)).await;
            put(&store, &spans[..7]).await;
        }
        assert!(added_up > 12, "seed {seed}: {added_up} were added up");
    }
}
