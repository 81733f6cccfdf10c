//! `throughline serve` as a process: killed, cut, stopped, and started on what it cannot use.

mod answers;
mod completeness;
mod crash;
mod disk;
mod mcp;
mod process;
mod reads;
mod tls;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::signal::Signal;
use process::{Process, Sender, exit_of, run, run_unread, stopped_while_starting};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Senders at once; each sends batch after batch, the next as soon as the last is acknowledged.
const SENDERS: u64 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_traffic_drains_and_leaves_nothing_to_replay() {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::serve(directory.path(), &[]);
    let senders = (1..=SENDERS).map(Sender::new).collect();
    let senders = send_until(senders, &server, 60, |server| server.kill(Signal::SIGTERM)).await;
    let ended = server.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let server = Process::serve(directory.path(), &[]);
    for sender in &senders {
        assert_kept(sender, &server.span_ids(sender.trace_id()).await, 1);
    }
    server.kill(Signal::SIGTERM);
    let ended = server.wait();
    assert!(
        !ended.stderr.contains("replayed"),
        "a clean stop seals everything: {}",
        ended.stderr
    );
}

/// Lets all senders send until `acks` batches were acknowledged, then does `what` and waits until
/// each sender has met the end of the server.
async fn send_until(
    senders: Vec<Sender>,
    server: &Process,
    acks: u64,
    what: impl FnOnce(&Process),
) -> Vec<Sender> {
    let (acknowledged, enough) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
    let mut sending = JoinSet::new();
    for mut sender in senders {
        let (acknowledged, enough) = (Arc::clone(&acknowledged), Arc::clone(&enough));
        let address = server.otlp_http();
        sending.spawn(async move {
            while sender.send_next(address).await {
                if acknowledged.fetch_add(1, Ordering::Relaxed) + 1 == acks {
                    enough.notify_one();
                }
            }
            sender
        });
    }
    enough.notified().await;
    what(server);
    sending.join_all().await
}

fn assert_kept(sender: &Sender, stored: &[u64], round: u64) {
    let unique: BTreeSet<u64> = stored.iter().copied().collect();
    assert_eq!(
        unique.len(),
        stored.len(),
        "round {round}: a span is there twice"
    );
    let lost: Vec<u64> = sender
        .acknowledged()
        .filter(|id| !unique.contains(id))
        .collect();
    assert!(
        lost.is_empty(),
        "round {round}: acknowledged and lost: {lost:?}"
    );
    let sent: BTreeSet<u64> = sender.sent().into_iter().collect();
    assert!(
        unique.is_subset(&sent),
        "round {round}: spans that nobody sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_write_ahead_log_is_read_up_to_the_cut() {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::serve(directory.path(), &[]);
    let mut sender = Sender::new(1);
    for _ in 0..3 {
        assert!(sender.send_next(server.otlp_http()).await);
    }
    server.kill(Signal::SIGKILL);
    server.wait();
    cut_last_frame(&directory.path().join("wal"));

    let server = Process::serve(directory.path(), &[]);
    let stored = server.span_ids(sender.trace_id()).await;
    let all = sender.sent();
    assert_eq!(
        stored,
        all[..all.len() * 2 / 3],
        "the two frames before the cut"
    );
    server.kill(Signal::SIGTERM);
    let ended = server.wait();
    assert_eq!(ended.code, Some(0));
    let told: Vec<&str> = ended
        .stderr
        .lines()
        .filter(|line| line.contains("WARN"))
        .collect();
    assert_eq!(told.len(), 1, "one line about the cut: {}", ended.stderr);
    assert!(told[0].contains("bytes"), "{told:?}");
}

/// Takes the last three bytes of what was written, in the middle of the third frame.
fn cut_last_frame(wal: &Path) {
    let files = fs::read_dir(wal).expect("a WAL folder");
    let files = files.map(|entry| entry.expect("can be listed").path());
    let newest = files.max().expect("a WAL file");
    let contents = fs::read(&newest).expect("can be read");
    // The file may be preallocated: zeros after the last frame are not part of it.
    let written = contents
        .iter()
        .rposition(|byte| *byte != 0)
        .expect("frames")
        + 1;
    let file = OpenOptions::new()
        .write(true)
        .open(newest)
        .expect("can be written");
    let cut = u64::try_from(written).expect("fits") - 3;
    file.set_len(cut).expect("can be cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::serve(directory.path(), &[]);
    let _half_sent = server.half_a_request(); // something to wait for
    server.kill(Signal::SIGTERM);
    server.wait_until_refusing();
    server.kill(Signal::SIGTERM);
    assert_eq!(server.wait().code, Some(130));
}

/// A start may take as long as replaying a long log does, and can be broken off.
#[test]
fn a_signal_ends_a_start() {
    let directory = tempfile::tempdir().unwrap();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let ended = stopped_while_starting(directory.path(), signal);
        assert_eq!(ended.code, Some(130), "{}", ended.stderr);
        assert!(ended.stderr.contains("stopped before"), "{}", ended.stderr);
    }
}

/// What cannot start says so in one line, with a code, and exits with 2.
#[test]
fn one_clear_line_and_exit_2() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(path("foreign")).unwrap();
    fs::write(path("foreign/thesis.tex"), "years of work").unwrap();
    fs::write(
        path("bad.toml"),
        "otlp_htp = \"127.0.0.1:0\"\nhttp = 4300\nlog_format = \"xml\"\n",
    )
    .unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let (data, foreign, under_a_file) = (
        path("data"),
        path("foreign"),
        path("foreign/thesis.tex/data"),
    );
    let config = path("bad.toml");

    let cases: [(&[&str], &[&str]); 6] = [
        (
            &["--data-dir", &data, "--http", &taken],
            &[&taken, "another program listens there", "TL0003"],
        ),
        (&["--data-dir", &foreign], &["thesis.tex", "TL0005"]),
        (
            &["--data-dir", &under_a_file],
            &["thesis.tex/data", "TL0005"],
        ),
        (
            &["--data-dir", &data, "--http", "0.0.0.0:0"],
            &["--api-key", "TL0002"],
        ),
        (
            &["--data-dir", &data, "--config", &config],
            &["otlp_htp", "did you mean otlp_http", "http in", "xml"],
        ),
        (
            &["--data-dir", &data, "--otlp-grpc", "nonsense"],
            &["otlp_grpc", "nonsense"],
        ),
    ];
    for (arguments, expected) in cases {
        let ended = exit_of(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        let lines: Vec<&str> = ended
            .stderr
            .lines()
            .filter(|line| !line.contains("INFO"))
            .collect();
        assert_eq!(lines.len(), 1, "{arguments:?}: {}", ended.stderr);
        let repeated = lines[0].matches("(TL").count() > 1 || lines[0].contains("os error 98");
        assert!(!repeated, "{arguments:?} says it twice: {}", lines[0]);
        for part in expected {
            assert!(
                lines[0].contains(part),
                "{arguments:?} must say {part:?}: {}",
                lines[0]
            );
        }
    }
}

#[test]
fn print_config_shows_origins_and_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let ended = exit_of(&[
        "--print-config",
        "--data-dir",
        data.to_str().unwrap(),
        "--api-key",
        "s3cret",
    ]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("otlp_http = \"127.0.0.1:0\""),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("# flag") && ended.stdout.contains("# default"),
        "{}",
        ended.stdout
    );
    assert!(
        !ended.stdout.contains("s3cret") && ended.stdout.contains("****"),
        "{}",
        ended.stdout
    );
    assert!(!data.exists(), "printing the configuration touches nothing");
}

#[test]
fn completions_survive_a_reader_that_goes_away() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]);
        assert_eq!(script.code, Some(0), "{shell}: {}", script.stderr);
        assert!(script.stdout.contains("print-config"), "{shell}");
    }
    let unread = run_unread(&["completions", "bash"]);
    assert_eq!(unread.code, Some(0), "{}", unread.stderr);
}

#[test]
fn print_config_survives_a_reader_that_goes_away() {
    let unread = run_unread(&["serve", "--print-config", "--data-dir", "data"]);
    assert_eq!(unread.code, Some(0), "{}", unread.stderr);
}

#[test]
fn an_application_that_cannot_be_read_is_told_once_on_one_line() {
    let ended = run(&["sandbox", "--app", "/nonexistent/throughline.toml"]);
    assert_eq!(ended.code, Some(2));
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert_eq!(
        ended.stderr.matches("os error 2").count(),
        1,
        "{}",
        ended.stderr
    );
}
