//! A disk without room, for a while.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::process::{Process, Sender};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_to_senders_and_got_over_without_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::serve_within(directory.path(), LARGE);
    let address = server.otlp_http();
    let mut sender = Sender::new(1);
    assert!(sender.send_next(address).await);

    server.limit_files(200); // a header of the write-ahead log, and part of a batch
    assert!(!sender.send_next(address).await);
    for _ in 0..5 {
        let answer = sender.try_again(address).await;
        assert_eq!(answer, (503, Some("1".to_owned())));
    }
    let stored = server.span_ids(sender.trace_id()).await;
    let acknowledged: Vec<u64> = sender.acknowledged().collect();
    assert_eq!(stored, acknowledged, "what was acknowledged can be read");

    server.limit_files(LARGE);
    let taken = async {
        while sender.try_again(address).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let patience = Duration::from_secs(60);
    tokio::time::timeout(patience, taken).await.unwrap();
    assert_eq!(server.span_ids(sender.trace_id()).await, sender.sent());

    server.kill(Signal::SIGKILL);
    server.wait();
    let server = Process::serve(directory.path(), &[]);
    assert_eq!(server.span_ids(sender.trace_id()).await, sender.sent());
}

/// More than any file here has; a multiple of 512.
const LARGE: u64 = 1 << 40;
