//! The audit log: what was proposed, done and undone, one line of JSON each.
//!
//! `actions/audit.jsonl` in the data directory is only ever appended to, and each line is on disk before it counts. What
//! a line lacks because the machine stopped or the disk was full while it was written stays where it is; the next line
//! begins a line of its own. A line that cannot be read is told in the server's log, and does not count but for one thing:
//! it may have [stopped all actions](Record::miss), so they are stopped until a person lets them be done again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use throughline_act::{Entry, Links, Record};

/// The log, open.
pub(super) struct Audit {
    file: File,
    /// Whether the last line may have no end.
    is_torn: bool,
    entries: Vec<Entry>,
}

impl Audit {
    /// Opens the log of a folder, or begins one, and says what follows from it.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Record)> {
        fs::create_dir_all(folder)?;
        let path = folder.join("audit.jsonl");
        let mut file = private().read(true).append(true).open(&path)?;
        for made in [Some(folder), folder.parent()].into_iter().flatten() {
            File::open(made)?.sync_all()?;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let is_torn = bytes.last().is_some_and(|last| *last != b'\n');
        let mut entries: Vec<Entry> = Vec::new();
        let mut record = Record::default();
        let lines = bytes.split(|byte| *byte == b'\n');
        for (number, line) in (1..).zip(lines).filter(|(_, line)| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(entry) => {
                    record.take(&entry);
                    entries.push(entry);
                }
                Err(error) => {
                    let path = path.display();
                    tracing::error!(%error, %path, number, "a line of the audit log cannot be read");
                    record.miss(number);
                }
            }
        }
        if let Some((who, why)) = record.gate().stopped() {
            tracing::warn!(
                who,
                why,
                "all actions are stopped until somebody lets them be done"
            );
        }
        let audit = Audit {
            file,
            is_torn,
            entries,
        };
        Ok((audit, record))
    }

    /// What is in it, oldest first.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Writes one more. When this returns it is on disk.
    pub(super) fn append(&mut self, entry: Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        if self.is_torn {
            line.insert(0, b'\n');
        }
        self.is_torn = true;
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.is_torn = false;
        self.entries.push(entry);
        Ok(())
    }
}

/// The secret that links are signed with: made once, and readable for the server's user alone.
pub(super) fn links(folder: &Path) -> io::Result<Links> {
    let path = folder.join("secret");
    let mut secret = [0; 32];
    match File::open(&path) {
        Ok(mut file) => file.read_exact(&mut secret)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            File::open("/dev/urandom")?.read_exact(&mut secret)?;
            let fresh = folder.join("secret.new");
            let mut file = private().write(true).truncate(true).open(&fresh)?;
            file.write_all(&secret)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            File::open(folder)?.sync_all()?;
        }
        Err(error) => return Err(error),
    }
    Ok(Links::new(secret))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use throughline_act::{Event, UnixSeconds};

    use super::*;

    fn entry(at: u64) -> Entry {
        Entry {
            at: UnixSeconds(at),
            who: "ada".to_owned(),
            by_link_for: None,
            event: Event::Resumed,
        }
    }

    #[test]
    fn a_line_that_was_cut_costs_itself_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (mut audit, record) = Audit::open(folder.path()).unwrap();
        assert_eq!(record.gate().stopped(), None);
        audit.append(entry(1)).unwrap();
        audit.append(entry(2)).unwrap();
        drop(audit);
        let path = folder.path().join("audit.jsonl");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let (mut audit, record) = Audit::open(folder.path()).unwrap();
        assert_eq!(audit.entries(), [entry(1)]);
        let (who, why) = record.gate().stopped().expect("it may have stopped them");
        assert_eq!(who, "throughline");
        assert!(why.starts_with("line 2 of the audit log"), "{why}");
        audit.append(entry(3)).unwrap();
        drop(audit);
        let (audit, record) = Audit::open(folder.path()).unwrap();
        assert_eq!(audit.entries(), [entry(1), entry(3)]);
        assert_eq!(record.gate().stopped(), None, "somebody let them be done");
        let kept = fs::read(&path).unwrap();
        assert!(
            kept.starts_with(&whole[..whole.len() - 5]),
            "nothing is ever taken away"
        );
    }

    #[test]
    fn the_secret_stays_and_is_nobody_elses() {
        use std::os::unix::fs::PermissionsExt;

        use throughline_act::Claim;

        let folder = tempfile::tempdir().unwrap();
        let action = serde_json::from_str(r#"{"do":"stop","function":"pay","hours":1}"#).unwrap();
        let id = "0123456789abcdef".parse().unwrap();
        let claim = Claim {
            id: &id,
            action: &action,
            audience: "",
            expires: UnixSeconds(9),
        };
        let key = links(folder.path()).unwrap().key(&claim);
        assert_eq!(links(folder.path()).unwrap().key(&claim), key);
        let mode = fs::metadata(folder.path().join("secret"))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(links(other.path()).unwrap().key(&claim), key);
    }
}
