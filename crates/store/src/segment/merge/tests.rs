use std::collections::{HashMap, HashSet};

use arrow::array::FixedSizeBinaryArray;
use fastrand::Rng;
use throughline_telemetry::Span;
use throughline_testkit::span;

use super::super::columns::Columns;
use super::*;
use crate::limits::{MERGE_ASIDE_ROWS_MAX, MERGE_BLOCK_ROWS};
use crate::testing::{TestDirectory, put};

const SLICES: usize = 5;
const TRACES: u64 = 300;

/// Traces of a time, and what those of the time before had waiting in queues, so many of a hundred of them.
fn slice(rng: &mut Rng, number: u64, waiting: u64) -> Vec<Span> {
    let mut spans = Vec::new();
    for trace in 0..TRACES {
        let id = number * TRACES + trace;
        let begun = number * 10_000 + trace * 30;
        let name = format!("of slice {number}");
        let built = span("shop").named(&name).in_trace(1 + id).id(1 + id);
        spans.push(built.at(begun).build());
        if number > 0 && rng.u64(0..100) < waiting {
            let before = id - TRACES;
            let at = number * 10_000 + rng.u64(0..9_000);
            let built = span("mail").in_trace(1 + before).id(1_000_000 + before);
            spans.push(built.at(at).build());
        }
    }
    spans
}

/// How many blocks are read, of how many, to merge slices; every span must come out once, and those of a trace together.
async fn blocks_read(seed: u64, waiting: u64) -> (usize, usize) {
    let mut rng = Rng::with_seed(seed);
    let directory = TestDirectory::new();
    let store = directory.open();
    let mut sent = HashSet::new();
    for number in 0..SLICES as u64 {
        let spans = slice(&mut rng, number, waiting);
        sent.extend(spans.iter().map(|span| span.span_id.as_bytes().to_vec()));
        put(&store, &spans).await;
        store.seal().unwrap();
    }
    let shared = store.shared();
    let mut inputs = shared.live.segments().of(Signal::Traces).to_vec();
    inputs.sort_by_key(|segment| segment.age());
    assert_eq!(inputs.len(), SLICES, "seed {seed}");
    let mut order = TraceOrder::new(&shared.files, &inputs).unwrap();
    let mut gather = Gather::new::<SpanTable>(&shared.files, &inputs);
    let (mut rows, mut traces) = (0, Vec::new());
    while let Some(batch) = next_batch(&mut order, &mut gather).unwrap() {
        rows += batch.num_rows();
        let columns = Columns(&batch);
        let ids: &FixedSizeBinaryArray = columns.get("span_id").unwrap();
        ids.iter().flatten().for_each(|id| {
            assert!(sent.remove(id), "seed {seed}: {id:?} came twice");
        });
        let ids: &FixedSizeBinaryArray = columns.get("trace_id").unwrap();
        traces.extend(ids.iter().flatten().map(<[u8]>::to_vec));
    }
    assert!(sent.is_empty(), "seed {seed}: {} are missing", sent.len());
    traces.dedup();
    let mut times: HashMap<&[u8], usize> = HashMap::new();
    traces
        .iter()
        .for_each(|id| *times.entry(id).or_default() += 1);
    assert!(times.values().all(|times| *times == 1), "seed {seed}");
    (gather.loads, rows.div_ceil(MERGE_BLOCK_ROWS as usize))
}

/// A block is read in its turn, and once more if something in it is wanted before.
#[tokio::test]
async fn blocks_are_not_read_again_for_each_trace_that_waited() {
    for seed in 0..4 {
        let (read, blocks) = blocks_read(seed, 15).await;
        let most = 2 * (blocks + SLICES);
        assert!(read <= most, "seed {seed}: {read} reads of {blocks} blocks");
    }
}

#[tokio::test]
async fn what_has_no_room_aside_is_read_when_it_is_wanted() {
    let waiting = 90;
    let all_at_once = TRACES * waiting / 100;
    assert!(all_at_once > 2 * MERGE_ASIDE_ROWS_MAX as u64);
    for seed in 0..4 {
        let (read, blocks) = blocks_read(seed, waiting).await;
        assert!(
            read > 2 * blocks,
            "seed {seed}: {read} reads of {blocks} blocks"
        );
    }
}
