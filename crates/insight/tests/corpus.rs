//! Every file of the fuzz corpus of queries, through what the fuzz target does with it.

#![allow(clippy::unwrap_used)] // a test

#[allow(unreachable_pub, reason = "it is public for the fuzz target")]
#[path = "../../../fuzz/src/graph.rs"]
mod graph;

#[test]
fn queries_of_the_corpus_are_understood_or_refused() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/graph");
    let mut count = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        graph::query(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count > 10, "{count}");
}
