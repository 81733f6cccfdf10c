use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use throughline_extension::outbox::Worth;

use super::*;

/// A folder of its own for each test.
struct Tmp(PathBuf);

impl Tmp {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("throughline-spill-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Tmp(folder)
    }
}

impl Drop for Tmp {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn batch(environment: &str, sequence: u64) -> Batch {
    Batch {
        environment: environment.into(),
        function: "checkout".into(),
        sequence,
        signal: Signal::Traces,
        worth: Worth::Traces,
        items: 2,
        body: Bytes::from_static(b"body"),
        packed: false,
    }
}

/// An account as the core writes it.
fn line(environment: &str) -> String {
    use std::sync::Arc;
    use throughline_extension::counters::Counters;
    use throughline_extension::outbox::{Export, Limits, Outbox};
    let limits = Limits {
        home: HOME,
        ..Limits::default()
    };
    let outbox = Outbox::new(
        environment,
        "checkout",
        Export::On,
        limits,
        Arc::new(Counters::default()),
    );
    outbox.records().remove(0).1
}

const HOME: u64 = 7;

#[test]
fn what_one_life_leaves_the_next_one_takes_once() {
    let tmp = Tmp::new("next");
    let mut first = Spill::new(&tmp.0, HOME);
    assert!(first.leftovers("e-1").is_empty());
    first.record(&"e-1".into(), &line("e-1"));
    assert!(first.save(&batch("e-1", 9)) && first.save(&batch("e-1", 10)));
    let mut second = Spill::new(&tmp.0, HOME);
    assert!(second.leftovers("e-2").is_empty(), "the first lives");
    assert!(second.is_held(), "so it is worth another look");
    drop(first);
    let mut found = second.leftovers("e-2");
    assert_eq!(found.len(), 1);
    let leftover = found.remove(0);
    assert!(leftover.record.is_some());
    assert!(!second.is_held());
    assert!(second.leftovers("e-2").is_empty(), "found once");
    assert!(!second.is_held(), "by itself it is held");
    let keys: Vec<_> = leftover
        .batches
        .iter()
        .map(|stored| stored.batch.key())
        .collect();
    assert_eq!(
        keys.iter().map(|key| key.sequence).collect::<Vec<_>>(),
        [9, 10]
    );
    assert_eq!(second.load(&keys[0], Signal::Traces).unwrap(), "body");
    assert!(
        Spill::new(&tmp.0, HOME).leftovers("e-3").is_empty(),
        "taken"
    );
    keys.iter()
        .for_each(|key| second.remove(key, Signal::Traces));
    second.close(&"e-1".into());
    assert!(!tmp.0.join(FOLDER).exists(), "nothing is left");
}

#[test]
fn nobody_takes_what_is_anothers() {
    let tmp = Tmp::new("others");
    let mut first = Spill::new(&tmp.0, HOME);
    first.record(&"e-1".into(), &line("e-1"));
    assert!(first.save(&batch("e-1", 1)));
    drop(first);
    assert!(Spill::new(&tmp.0, HOME + 1).leftovers("e-2").is_empty());
    assert_eq!(Spill::new(&tmp.0, HOME).leftovers("e-2").len(), 1);
    let folder = tmp.0.join(FOLDER);
    std::fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    assert!(
        Spill::new(&tmp.0, HOME).leftovers("e-2").is_empty(),
        "anybody could have written it"
    );
    assert!(!Spill::new(&tmp.0, HOME).save(&batch("e-2", 1)));
}

#[test]
fn files_are_private() {
    let tmp = Tmp::new("private");
    let mut spill = Spill::new(&tmp.0, HOME);
    spill.record(&"e-1".into(), &line("e-1"));
    assert!(spill.save(&batch("e-1", 1)));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    let folder = tmp.0.join(FOLDER);
    assert_eq!(mode(&folder), 0o700);
    for name in ["e-1.ledger", "e-1-1.traces"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
}

#[test]
fn what_cannot_be_written_is_not_there() {
    let tmp = Tmp::new("unwritable");
    // A file where the folder should be: nobody can write below it, root included.
    std::fs::write(tmp.0.join(FOLDER), "").unwrap();
    let mut spill = Spill::new(&tmp.0, HOME);
    assert!(!spill.save(&batch("e-1", 1)));
    spill.record(&"e-1".into(), "a line");
    spill.close(&"e-1".into());
    assert!(spill.leftovers("e-1").is_empty());
    assert_eq!(spill.load(&batch("e-1", 1).key(), Signal::Traces), None);
}

#[test]
fn torn_files_and_strange_ones_are_passed_over() {
    let tmp = Tmp::new("torn");
    let mut spill = Spill::new(&tmp.0, HOME);
    assert!(spill.save(&batch("e-1", 1)) && spill.save(&batch("e-1", 2)));
    let folder = tmp.0.join(FOLDER);
    let torn = std::fs::read(folder.join("e-1-1.traces")).unwrap();
    std::fs::write(folder.join("e-1-1.traces"), &torn[..torn.len() - 1]).unwrap();
    std::fs::write(folder.join("e-9.ledger"), "0123").unwrap();
    std::fs::write(folder.join("notes.txt"), "mine").unwrap();
    std::fs::create_dir(folder.join("e-8-1.logs")).unwrap();
    let found = spill.leftovers("e-2");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].record, None);
    assert_eq!(found[0].batches.len(), 1, "only the whole one");
    assert_eq!(spill.load(&batch("e-1", 1).key(), Signal::Traces), None);
}

#[test]
fn a_function_that_cleans_tmp_costs_what_was_there_and_no_more() {
    let tmp = Tmp::new("cleaned");
    let mut spill = Spill::new(&tmp.0, HOME);
    spill.record(&"e-1".into(), &line("e-1"));
    assert!(spill.save(&batch("e-1", 1)));
    std::fs::remove_dir_all(tmp.0.join(FOLDER)).unwrap();
    assert_eq!(spill.load(&batch("e-1", 1).key(), Signal::Traces), None);
    assert!(spill.save(&batch("e-1", 2)));
    spill.record(&"e-1".into(), &line("e-1"));
    let key = batch("e-1", 2).key();
    assert_eq!(spill.load(&key, Signal::Traces), Some("body".into()));
    drop(spill);
    let found = Spill::new(&tmp.0, HOME).leftovers("e-2");
    assert!(found[0].record.is_some() && found[0].batches.len() == 1);
}

#[test]
fn a_pipe_is_not_waited_for() {
    let tmp = Tmp::new("pipe");
    let mut spill = Spill::new(&tmp.0, HOME);
    assert!(spill.save(&batch("e-1", 1)));
    for name in ["e-1-2.traces", "e-3.ledger"] {
        let path = tmp.0.join(FOLDER).join(name);
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    }
    assert_eq!(spill.load(&batch("e-1", 2).key(), Signal::Traces), None);
    let found = spill.leftovers("e-2");
    assert_eq!(found.len(), 1, "{found:?}");
}
