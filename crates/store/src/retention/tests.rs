use proptest::prelude::*;

use super::*;
use crate::buffer::Services;
use crate::segment::SegmentId;

fn segment(number: u64, bytes: u64, first: u64, last: u64, end: u64) -> SegmentMeta {
    SegmentMeta {
        id: SegmentId::new(number, 0),
        signal: Signal::Traces,
        rows: 1,
        bytes,
        traces: 0,
        first: UnixNanos(first),
        last: UnixNanos(last),
        end: UnixNanos(end),
        max_duration_nanos: 0,
        errors: 0,
        max_severity: 0,
        services: Services::default(),
        level: 0,
        crc: None,
        rollup: None,
        edges: None,
        costs: None,
        links: None,
        census: None,
    }
}

const MINUTE: u64 = 60_000_000_000;

fn check(at_minute: u64, keep: &str, expect: Option<(Why, &[u64])>) {
    let made = [
        segment(4, 100, 25 * MINUTE, 25 * MINUTE, 25 * MINUTE),
        segment(1, 100, MINUTE, 2 * MINUTE, 2 * MINUTE),
        segment(2, 100, 3 * MINUTE, 4 * MINUTE, 15 * MINUTE), // a span that took long
        segment(3, 100, MINUTE, 9 * MINUTE, 9 * MINUTE),
    ];
    let mut segments = Segments::default();
    made.into_iter().for_each(|segment| segments.add(segment));
    let now = UnixNanos(at_minute * MINUTE);
    let chosen = choose(&segments, Signal::Traces, keep.parse().unwrap(), now);
    let chosen = chosen.map(|(why, chosen)| {
        let ids = chosen.iter().map(|segment| segment.id.generation());
        (why, ids.collect::<Vec<_>>())
    });
    assert_eq!(chosen, expect.map(|(why, ids)| (why, ids.to_vec())));
    assert_eq!(
        choose(
            &segments,
            Signal::Logs,
            Keep {
                age: Some(Duration::ZERO),
                bytes: Some(0)
            },
            now
        ),
        None
    );
}

#[test]
fn what_is_dropped_and_in_which_order() {
    check(1000, "forever", None);
    check(12, "10m", None);
    check(13, "10m", Some((Why::Age, &[1])));
    check(20, "10m", Some((Why::Age, &[1, 3])));
    check(26, "10m", Some((Why::Age, &[1, 3, 2])));
    check(26, "1h,400B", None);
    check(26, "1h,399B", Some((Why::Bytes, &[1])));
    check(26, "1h,300B", Some((Why::Bytes, &[1])));
    check(26, "1h,299B", Some((Why::Bytes, &[1, 3])));
    check(26, "1B", Some((Why::Bytes, &[1, 3, 2, 4])));
    // The clock may be anything.
    check(0, "1m", None);
}

#[test]
fn what_lies_beside_the_rows_counts_with_them() {
    let mut with_census = segment(1, 100, MINUTE, MINUTE, MINUTE);
    with_census.census = Some(crate::census::CensusMeta { bytes: 50, crc: 0 });
    let mut segments = Segments::default();
    segments.add(with_census);
    let too_many = |bytes| {
        let keep = Keep {
            age: None,
            bytes: Some(bytes),
        };
        choose(&segments, Signal::Traces, keep, UnixNanos(0)).is_some()
    };
    assert_eq!((too_many(149), too_many(150)), (true, false));
}

#[test]
fn environments_are_known_as_long_as_any_of_their_rows() {
    let retention = |traces: &str, logs: &str, metrics: &str| Retention {
        traces: traces.parse().unwrap(),
        logs: logs.parse().unwrap(),
        metrics: metrics.parse().unwrap(),
    };
    let now = UnixNanos(100 * MINUTE);
    let from = |of: Retention| of.environments_from(now);
    assert_eq!(
        from(retention("1m", "5m", "2m")),
        Some(UnixNanos(95 * MINUTE))
    );
    assert_eq!(from(retention("1m", "5m,1GB", "1GB")), None);
    assert_eq!(from(Retention::default()), None);
}

proptest! {
    #[test]
    fn never_too_young_never_too_much_and_the_oldest_first(
        rows in prop::collection::vec((1..1000_u64, 0..100_u64, 0..30_u64, 0..40_u64), 0..30),
        age in prop::option::of(0..200_u64),
        bytes in prop::option::of(0..20_000_u64),
        now in 0..250_u64,
    ) {
        let mut segments = Segments::default();
        for (number, (bytes, first, wide, more)) in (1..).zip(&rows) {
            let last = first + wide;
            let [first, last, end] = [*first, last, last + more].map(|minute| minute * MINUTE);
            segments.add(segment(number, *bytes, first, last, end));
        }
        let now = UnixNanos(now * MINUTE);
        let keep = Keep { age: age.map(|age| Duration::from_nanos(age * MINUTE)), bytes };
        let mut left = segments.of(Signal::Traces).to_vec();
        // As the compactor does: until nothing is chosen.
        while let Some((why, chosen)) = choose(&segments, Signal::Traces, keep, now) {
            for gone in &chosen {
                left.retain(|segment| segment.id != gone.id);
                match why {
                    Why::Age => prop_assert!(now.since(newest(gone)) > keep.age.unwrap()),
                    Why::Bytes => {
                        let window = |it: &SegmentMeta| newest(it).0 / WINDOW_NANOS;
                        prop_assert!(left.iter().all(|stays| window(stays) >= window(gone)));
                    }
                }
            }
            if why == Why::Bytes {
                // Not one more than it takes.
                let bytes: u64 = left.iter().map(|segment| segment.bytes).sum();
                let last = chosen.last().unwrap().bytes;
                prop_assert!(bytes + last > keep.bytes.unwrap());
            }
            segments = Segments::default();
            left.iter().for_each(|segment| segments.add(SegmentMeta::clone(segment)));
        }
        let old = |it: &Arc<SegmentMeta>| keep.age.is_some_and(|age| now.since(newest(it)) > age);
        prop_assert!(!left.iter().any(old));
        let bytes: u64 = left.iter().map(|segment| segment.bytes).sum();
        prop_assert!(keep.bytes.is_none_or(|max| bytes <= max));
    }
}
