//! Rounds of load, a sudden end, damage done on purpose, and a new start.
//!
//! After every start each acknowledged span is there once. What damage took is named by the server,
//! and nothing else is missing. `THROUGHLINE_SEEDS` says how many seeds there are, `THROUGHLINE_SEED`
//! repeats one.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fastrand::Rng;
use nix::sys::signal::Signal;
use nix::unistd::geteuid;
use tokio::task::JoinSet;

use crate::process::{NOBODY, Process, Sender, can_run_as, exit_as};
use crate::{SENDERS, send_until};

#[tokio::test(flavor = "multi_thread")]
async fn kills_and_damage_take_nothing_but_what_the_server_names() {
    for seed in seeds() {
        println!("repeat with THROUGHLINE_SEED={seed}");
        rounds(&mut Rng::with_seed(seed)).await;
    }
}

fn seeds() -> Vec<u64> {
    #[allow(clippy::disallowed_methods)] // the edge of a test
    let number = |name| {
        let text = std::env::var(name).ok();
        text.map(|text| text.parse::<u64>().expect(name))
    };
    match number("THROUGHLINE_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("THROUGHLINE_SEEDS").unwrap_or(1)).collect(),
    }
}

/// What is done to the data directory between two runs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Harm {
    None,
    /// The newest WAL file with anything in it loses its end.
    CutWal,
    /// A byte of it becomes another.
    ChangeWal,
    RemoveIndex,
    ChangeIndex,
    CutRows,
    ChangeFooter,
}

async fn rounds(rng: &mut Rng) {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let mut senders: Vec<Sender> = (1..=SENDERS).map(Sender::new).collect();
    let mut harms = vec![
        Harm::None,
        Harm::None,
        Harm::None,
        Harm::None,
        Harm::None,
        Harm::CutWal,
        Harm::ChangeWal,
        Harm::RemoveIndex,
        Harm::ChangeIndex,
        Harm::CutRows,
        Harm::ChangeFooter,
    ];
    rng.shuffle(&mut harms);
    harms.insert(0, Harm::None); // so that there is something to damage
    let mut damage: Option<(Harm, PathBuf)> = None;
    let (mut done, mut set_aside) = (0, 0);
    for (round, harm) in harms.into_iter().chain([Harm::None]).enumerate() {
        let at = format!("round {round}, after {damage:?}");
        let server = Process::serve(&data, &[]);
        let lost = look(&mut senders, &server, &at).await;
        let acks = rng.u64(1..120);
        let orderly = rng.u8(0..3) == 0;
        let pause = Duration::from_micros(rng.u64(0..20_000));
        senders = send_until(senders, &server, acks, |server| {
            if orderly {
                server.kill(Signal::SIGTERM); // dies while it seals and closes
            }
            std::thread::sleep(pause); // at any moment, not in step with the senders
            server.kill(Signal::SIGKILL);
        })
        .await;
        let told = server.wait().stderr;
        let at = format!("{at}, {lost} lost:\n{told}");
        // Of a merge that was cut short, or replaced by one: a start deletes it unread.
        let is_leftover = |path: &Path| {
            let name = path.file_name().expect("a file").to_string_lossy();
            lost == 0 && !path.exists() && !told.contains(&*name)
        };
        if let Some((harm, path)) = damage.filter(|(_, path)| !is_leftover(path)) {
            let name = path.file_name().expect("a file").to_string_lossy();
            check_told(harm, lost, &name, &told, &at);
            done += 1;
            set_aside += usize::from(matches!(harm, Harm::CutRows | Harm::ChangeFooter));
        } else {
            assert_eq!(lost, 0, "{at}");
            // What was set aside is named at every start.
            let errors = told.lines().filter(|line| line.contains("ERROR")).count();
            assert_eq!(errors, set_aside, "{at}");
        }
        damage = do_harm(harm, &data, rng).map(|path| (harm, path));
    }
    assert!(done >= 4, "there was hardly anything to damage: {done}");
}

/// Counts what is there. How many acknowledged spans are gone; they are sent again, and then all are
/// there, each once.
async fn look(senders: &mut [Sender], server: &Process, at: &str) -> usize {
    let mut lost = 0;
    for sender in senders {
        let stored = server.span_ids(sender.trace_id()).await;
        lost += sender
            .lose(&stored)
            .unwrap_or_else(|what| panic!("{at}: {what}"));
        sender.send_again(server).await;
        let stored = server.span_ids(sender.trace_id()).await;
        assert_eq!(stored, sender.sent(), "{at}: each once");
    }
    lost
}

fn check_told(harm: Harm, lost: usize, name: &str, told: &str, at: &str) {
    let about = || {
        // A merge that met it first says only that it was not done.
        let of_it = |line: &&str| line.contains(name) && !line.contains("is not merged");
        let mut lines = told.lines().filter(of_it);
        lines.next().unwrap_or_else(|| panic!("not named: {at}"))
    };
    match harm {
        Harm::None => {}
        Harm::CutWal if lost == 0 => {}
        Harm::CutWal => assert!(about().contains("skipped"), "{at}"),
        // It was in the frame of a batch, or in the header, which nobody needs.
        Harm::ChangeWal => {
            assert!(lost <= 8, "{at}");
            assert!(lost == 0 || about().contains("skipped"), "{at}");
        }
        Harm::RemoveIndex | Harm::ChangeIndex => {
            assert_eq!(lost, 0, "{at}");
            assert!(about().contains("made again"), "{at}");
        }
        Harm::CutRows | Harm::ChangeFooter => {
            let rows = about().split(" rows of traces").next().unwrap_or_default();
            let rows = rows.rsplit(' ').next().unwrap_or_default();
            let rows: usize = rows.parse().unwrap_or_else(|_| panic!("no number: {at}"));
            // Rows that were never acknowledged were in the file, too, and copies of others.
            assert!(rows >= lost, "{at}");
        }
    }
}

/// Damages a file, if there is one of the kind.
fn do_harm(harm: Harm, data: &Path, rng: &mut Rng) -> Option<PathBuf> {
    let (folder, start, end) = match harm {
        Harm::None => return None,
        Harm::CutWal | Harm::ChangeWal => ("wal", "", ".wal"),
        Harm::RemoveIndex | Harm::ChangeIndex => ("segments", "spans", ".index"),
        Harm::CutRows | Harm::ChangeFooter => ("segments", "spans", ".parquet"),
    };
    let known = if folder == "segments" {
        in_catalog(data)
    } else {
        None
    };
    let mut files: Vec<PathBuf> = fs::read_dir(data.join(folder))
        .expect("a folder")
        .map(|entry| entry.expect("can be listed").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let long = path
                .metadata()
                .is_ok_and(|data| data.len() > WAL_HEADER_BYTES);
            name.starts_with(start) && name.ends_with(end) && long
        })
        .filter(|path| {
            // Merged ones are named after all others.
            let is_merged = path.to_string_lossy().contains("-merged-");
            is_merged || known.as_ref().is_none_or(|oldest| path < oldest)
        })
        .collect();
    files.sort();
    let path = match folder {
        "wal" => files.pop()?,
        _ => rng.choice(files)?,
    };
    let mut bytes = fs::read(&path).expect("can be read");
    let last = bytes.len() - 1;
    match harm {
        Harm::None => {}
        Harm::CutWal => {
            bytes.truncate(rng.usize(bytes.len() / 2..=last));
            bytes.push(b'T'); // a cut between two frames is one that nobody can see
        }
        Harm::ChangeWal => bytes[rng.usize(0..=last)] ^= 1 << rng.u8(0..8),
        Harm::RemoveIndex => {
            fs::remove_file(&path).expect("can be removed");
            return Some(path);
        }
        Harm::ChangeIndex => bytes[rng.usize(0..=last)] ^= 1 << rng.u8(0..8),
        Harm::CutRows => bytes.truncate(rng.usize(0..=last)),
        Harm::ChangeFooter => bytes[last - 7..].fill(0xff),
    }
    fs::write(&path, bytes).expect("can be written");
    Some(path)
}

/// The first name that may be a leftover of a seal that a WAL file still has the rows of: what is
/// done to such a file is no damage, it is made again.
fn in_catalog(data: &Path) -> Option<PathBuf> {
    let wal = fs::read_dir(data.join("wal")).expect("a folder");
    let names = wal.map(|entry| entry.expect("can be listed").file_name());
    let oldest = names.filter_map(|name| {
        let name = name.into_string().ok()?;
        name.strip_suffix(".wal").map(str::to_owned)
    });
    let oldest = oldest.min()?;
    Some(data.join("segments").join(format!("spans-{oldest}")))
}

/// The WAL's file may not grow beyond some size, as on a disk that is full.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_nothing_acknowledged_is_lost() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Process::serve_within(directory.path(), FILE_BYTES_MAX);
    let mut sending = JoinSet::new();
    for number in 1..=SENDERS {
        let (mut sender, address) = (Sender::new(number), server.otlp_http());
        sending.spawn(async move {
            let mut refused = 0;
            for _ in 0..BATCHES {
                refused += usize::from(!sender.send_next(address).await);
            }
            (sender, refused)
        });
    }
    let mut senders = Vec::new();
    let mut refused = 0;
    for (sender, more) in sending.join_all().await {
        senders.push(sender);
        refused += more;
    }
    assert!(refused > 0, "the disk was never full");
    // What it has it still serves.
    for sender in &mut senders {
        check_kept(sender, &server.span_ids(sender.trace_id()).await);
    }
    server.kill(Signal::SIGKILL);
    let told = server.wait().stderr;
    assert!(told.contains("ERROR"), "{told}");

    let server = Process::serve(directory.path(), &[]);
    for sender in &mut senders {
        check_kept(sender, &server.span_ids(sender.trace_id()).await);
        sender.send_again(&server).await;
        let stored = server.span_ids(sender.trace_id()).await;
        assert_eq!(stored, sender.sent(), "each once");
    }
}

/// The folders become read-only under the running server.
#[tokio::test(flavor = "multi_thread")]
async fn without_permission_to_write_nothing_acknowledged_is_lost() {
    let directory = tempfile::tempdir().expect("a directory");
    // Root may write everywhere, so that the server must be somebody else.
    let user = geteuid().is_root().then_some(NOBODY);
    if user.is_some_and(|user| !can_run_as(user)) {
        println!("skipped: no other user may run the program from where it is");
        return;
    }
    let data = directory.path().join("data");
    fs::create_dir(&data).expect("can be made");
    if let Some(user) = user {
        allow(directory.path(), 0o755);
        chown(&data, Some(user), Some(user)).expect("root may");
    }
    let server = Process::serve_as(user, &data);
    let mut sender = Sender::new(1);
    for _ in 0..5 {
        assert!(sender.send_next(server.otlp_http()).await);
    }
    let folders = [data.join("wal"), data.join("segments"), data.clone()];
    folders.iter().for_each(|folder| allow(folder, 0o555));
    for _ in 0..5 {
        sender.send_next(server.otlp_http()).await;
    }
    let stored = server.span_ids(sender.trace_id()).await;
    check_kept(&mut sender, &stored);
    server.kill(Signal::SIGTERM);
    let ended = server.wait();
    assert_eq!(ended.code, Some(2), "it could not close: {}", ended.stderr);

    let ended = exit_as(user, &data);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let why = ended.stderr.lines().last().unwrap_or_default();
    assert!(
        why.contains("ermission denied") && why.contains("TL0005"),
        "{why}"
    );

    folders.iter().rev().for_each(|folder| allow(folder, 0o755));
    let server = Process::serve_as(user, &data);
    let stored = server.span_ids(sender.trace_id()).await;
    check_kept(&mut sender, &stored);
    sender.send_again(&server).await;
    assert_eq!(server.span_ids(sender.trace_id()).await, sender.sent());
}

fn check_kept(sender: &mut Sender, stored: &[u64]) {
    let lost = sender.lose(stored).unwrap_or_else(|what| panic!("{what}"));
    assert_eq!(lost, 0, "acknowledged and lost");
    let distinct: BTreeSet<&u64> = stored.iter().collect();
    assert_eq!(distinct.len(), stored.len());
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

const WAL_HEADER_BYTES: u64 = 20;

/// Enough for some hundred batches, and for SQLite's files.
const FILE_BYTES_MAX: u64 = 200 << 10;

/// More than fit below it.
const BATCHES: usize = 120;
