//! The one thread that writes the WAL.
//!
//! Group commit without a timer: whatever arrives while an fdatasync runs is the next group. After
//! the fdatasync the rows of the group go into the buffer, and only then are they acknowledged.
//!
//! Because one thread does it all, of two copies of a batch one is always first, and the second
//! finds it in the same group, in a buffer or in the catalog ([`Known`]). Copies are acknowledged
//! after their group, so never before the first is on disk.
//!
//! **Invariant**: after an I/O error nothing more is written into the same file. A failed fsync may
//! have thrown the dirty pages away, so that the next one would succeed without them. Everything that
//! waits is refused until a new file could be made; it says where the old one ends, so that what was
//! refused does not come back with a restart, beside the copy that its sender sent again.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use throughline_telemetry::Signal;
use tokio::sync::oneshot;

use crate::buffer::{Buffer, Entry, Group};
use crate::error::{AppendError, SealError};
use crate::known::{Fate, Known};
use crate::limits::GROUP_BYTES_MAX;
use crate::rows::Rows;
use crate::sealer::{Reply, SealJob};
use crate::store::{Shared, Stored};
use crate::wal::{WalSerializer, WalWriter};

/// What the writer is asked to do.
pub(crate) enum Command {
    Append(Box<Append>),
    /// Seal what is buffered, and say when it is done.
    Seal(Reply),
    /// The same, and then stop.
    Close(Reply),
}

/// A body to be made durable and its rows to be shown.
pub(crate) struct Append {
    pub(crate) signal: Signal,
    pub(crate) body: Bytes,
    pub(crate) entry: Entry,
    pub(crate) reply: oneshot::Sender<Result<Stored, AppendError>>,
}

/// A group after it was asked of each body whether it is new.
#[derive(Default)]
struct Sorted {
    /// Bodies to be stored, and what is then said of them.
    new: Vec<(Append, Stored)>,
    /// Bodies that are stored already.
    already: Vec<Append>,
}

/// Who waits for a body of a group.
struct Waiting {
    cost: u64,
    rows: u64,
    stored: Stored,
    reply: oneshot::Sender<Result<Stored, AppendError>>,
}

impl Waiting {
    /// The sender of a body that is not stored.
    fn of(append: Append) -> Self {
        Waiting {
            cost: append.entry.cost,
            rows: 0,
            stored: Stored::Already,
            reply: append.reply,
        }
    }
}

/// The state of the writer's thread.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    commands: Receiver<Command>,
    sealer: Sender<SealJob>,
    wal: WalWriter,
    known: Known,
    frames: WalSerializer,
    buffer: Arc<Buffer>,
    /// When the first row came into the buffer.
    since: Option<Instant>,
    failure: Option<Failure>,
}

/// Why nothing can be written, until a new file could be made.
struct Failure {
    what: String,
    /// When that is tried.
    retry_at: Instant,
}

/// What was collected for one turn of the loop.
#[derive(Default)]
struct Turn {
    group: Vec<Append>,
    group_bytes: usize,
    replies: Vec<Reply>,
    closing: bool,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        commands: Receiver<Command>,
        sealer: Sender<SealJob>,
        wal: WalWriter,
        known: Known,
    ) -> Self {
        Writer {
            frames: WalSerializer::new(wal.generation()),
            buffer: shared.live.active(),
            since: None,
            failure: None,
            shared,
            commands,
            sealer,
            wal,
            known,
        }
    }

    /// Runs until closed, or until every handle is gone.
    pub(crate) fn run(mut self) {
        while let Some(turn) = self.collect() {
            self.commit(turn.group);
            if turn.closing || !turn.replies.is_empty() || self.is_due() {
                self.roll(turn.replies);
            }
            if turn.closing {
                return;
            }
        }
    }

    /// Waits for something to do, then takes all that is there.
    fn collect(&mut self) -> Option<Turn> {
        let mut turn = Turn::default();
        match self.wait() {
            Ok(command) => turn.take(command),
            Err(RecvTimeoutError::Timeout) => return Some(turn),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
        while turn.has_room() {
            match self.commands.try_recv() {
                Ok(command) => turn.take(command),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        Some(turn)
    }

    fn wait(&self) -> Result<Command, RecvTimeoutError> {
        match self.since {
            None => self.commands.recv().map_err(RecvTimeoutError::from),
            Some(since) => {
                let due = since + self.shared.options.seal_interval;
                let retry_at = self.failure.as_ref().map(|failure| failure.retry_at);
                let due = retry_at.map_or(due, |retry_at| due.max(retry_at));
                self.commands
                    .recv_timeout(due.saturating_duration_since(now()))
            }
        }
    }

    /// Makes a group durable, shows it and acknowledges it.
    fn commit(&mut self, group: Vec<Append>) {
        if group.is_empty() {
            return;
        }
        if let Err(what) = self.mend() {
            refuse(&self.shared, group.into_iter().map(Waiting::of), &what);
            return;
        }
        let sorted = self.sort(group);
        let already = sorted.already.into_iter().map(Waiting::of);
        let (entries, new) = self.frame(sorted.new);
        match self.write(entries) {
            Ok(group) => {
                self.show(group, new);
                self.acknowledge(already);
            }
            Err(what) => {
                self.known.forget();
                refuse(&self.shared, new.into_iter().chain(already), &what);
            }
        }
    }

    /// Finds the bodies that are stored already.
    fn sort(&mut self, group: Vec<Append>) -> Sorted {
        self.known.begin_group();
        let mut sorted = Sorted::default();
        for mut append in group {
            let fate = match &append.entry.origin {
                None => Ok(Fate::New),
                Some(origin) => self.known.admit(origin, &self.shared.live),
            };
            match fate {
                Ok(Fate::New) => sorted.new.push((append, Stored::New)),
                Ok(Fate::LedgerOnly) => {
                    append.keep_ledger();
                    self.shared.counters.duplicates.add(1);
                    sorted.new.push((append, Stored::Already));
                }
                Ok(Fate::Already) => {
                    self.shared.counters.duplicates.add(1);
                    sorted.already.push(append);
                }
                Err(error) => {
                    tracing::error!(%error, "cannot ask the catalog for a batch");
                    self.shared.pressure.release(append.entry.cost);
                    let failed = AppendError::Catalog(error.to_string());
                    let _ = append.reply.send(Err(failed));
                }
            }
        }
        sorted
    }

    /// Makes the frames of a group. Their rows, and who waits for them.
    fn frame(&mut self, group: Vec<(Append, Stored)>) -> (Vec<Entry>, Vec<Waiting>) {
        self.frames.clear();
        let waiting = |(append, stored): (Append, Stored)| {
            let origin = append.entry.origin.as_deref();
            let received = append.entry.received;
            self.frames
                .push(append.signal, received, &append.body, origin);
            let waiting = Waiting {
                cost: append.entry.cost,
                rows: append.entry.rows.len() as u64,
                stored,
                reply: append.reply,
            };
            (append.entry, waiting)
        };
        group.into_iter().map(waiting).unzip()
    }

    /// Makes the frames durable, and batches of the rows meanwhile: the disk takes longer.
    fn write(&mut self, entries: Vec<Entry>) -> Result<Group, String> {
        if entries.is_empty() {
            return Ok(Group::default());
        }
        let (wal, frames) = (&mut self.wal, &self.frames);
        let (written, group) = thread::scope(|scope| {
            let written = scope.spawn(|| wal.commit(frames));
            let group = Group::new(entries);
            (written.join(), group)
        });
        let written = written.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        written.map_err(|error| self.fail(&error))?;
        self.shared.counters.groups.add(1);
        Ok(group)
    }

    fn show(&mut self, group: Group, waiting: Vec<Waiting>) {
        if waiting.is_empty() {
            return;
        }
        let counters = &self.shared.counters;
        counters.requests.add(waiting.len() as u64);
        counters
            .rows
            .add(waiting.iter().map(|waiting| waiting.rows).sum());
        let arrivals = &self.shared.arrivals;
        let fresh = arrivals.are_wanted().then(|| group.batches());
        self.buffer.insert(group);
        if let Some(fresh) = fresh {
            arrivals.tell(fresh);
        }
        for waiting in waiting {
            // A sender that went away has no use for the answer; its rows stay.
            let _ = waiting.reply.send(Ok(waiting.stored));
        }
        self.since.get_or_insert_with(now);
    }

    fn acknowledge(&self, already: impl Iterator<Item = Waiting>) {
        for waiting in already {
            self.shared.counters.requests.add(1);
            self.shared.pressure.release(waiting.cost);
            let _ = waiting.reply.send(Ok(Stored::Already));
        }
    }

    /// Whether the buffer has grown or aged enough to be sealed.
    fn is_due(&self) -> bool {
        let options = &self.shared.options;
        if self.failure.as_ref().is_some_and(|it| now() < it.retry_at) {
            return false;
        }
        let old = |since: Instant| since.elapsed() >= options.seal_interval;
        self.wal.bytes() >= options.buffer_bytes_max
            || self.buffer.cost() >= options.unsealed_bytes_max / 4
            || self.since.is_some_and(old)
    }

    /// Starts the next generation and hands the buffer of this one to the sealer.
    fn roll(&mut self, replies: Vec<Reply>) {
        if self.buffer.is_empty() {
            self.since = None;
            self.hand_over(None, replies);
            return;
        }
        match self.rotate() {
            Ok(buffer) => self.hand_over(buffer, replies),
            Err(what) => {
                let generation = self.wal.generation();
                let error = SealError::Failed { generation, what };
                replies
                    .into_iter()
                    .for_each(|reply| reply(Err(error.clone())));
            }
        }
    }

    /// Goes on in a new file after a failure, once it is time to try that.
    fn mend(&mut self) -> Result<(), String> {
        match &self.failure {
            None => return Ok(()),
            Some(failure) if now() < failure.retry_at => return Err(failure.what.clone()),
            Some(_) => {}
        }
        let buffer = self.rotate()?;
        if buffer.is_some() {
            self.hand_over(buffer, Vec::new());
        }
        Ok(())
    }

    /// Makes the file that the next group goes into. The buffer of the last one, which does not change
    /// any more; none if nothing is in it.
    fn rotate(&mut self) -> Result<Option<Arc<Buffer>>, String> {
        let (shared, last) = (&self.shared, self.wal.generation());
        let next = WalWriter::create(
            &shared.layout,
            self.wal.next(),
            shared.options.probe.clone(),
        );
        self.wal = next.map_err(|error| self.fail(&error))?;
        if self.failure.take().is_some() {
            tracing::info!(
                generation = self.wal.generation(),
                "the wal can be written again"
            );
        }
        if self.wal.generation() == last {
            return Ok(None);
        }
        self.frames = WalSerializer::new(self.wal.generation());
        let frozen = self.shared.live.freeze(Buffer::new(self.wal.generation()));
        self.buffer = self.shared.live.active();
        self.since = None;
        Ok(Some(frozen))
    }

    /// Notes that the WAL cannot be written, and why.
    fn fail(&mut self, error: &io::Error) -> String {
        let what = error.to_string();
        tracing::error!(%error, generation = self.wal.generation(), "cannot write the wal");
        self.shared.counters.wal_failures.add(1);
        self.failure = Some(Failure {
            what: what.clone(),
            retry_at: now() + self.shared.options.wal_retry,
        });
        what
    }

    fn hand_over(&self, buffer: Option<Arc<Buffer>>, replies: Vec<Reply>) {
        if self.sealer.send(SealJob { buffer, replies }).is_err() {
            // It waits for this end of the channel to go, so it must have panicked. The rows stay
            // in the WAL, and the byte budget turns senders away in the end.
            tracing::error!("the sealer is gone, nothing is sealed until a restart");
        }
    }
}

impl Turn {
    fn take(&mut self, command: Command) {
        match command {
            Command::Append(append) => {
                self.group_bytes +=
                    WalSerializer::frame_bytes(&append.body, append.entry.origin.as_deref());
                self.group.push(*append);
            }
            Command::Seal(reply) => self.replies.push(reply),
            Command::Close(reply) => {
                self.replies.push(reply);
                self.closing = true;
            }
        }
    }

    /// A request to seal ends a group, so that it covers what came before it and no more.
    fn has_room(&self) -> bool {
        self.group_bytes < GROUP_BYTES_MAX && self.replies.is_empty()
    }
}

impl Append {
    /// Leaves nothing of a batch that is stored already but what its sender says of itself.
    fn keep_ledger(&mut self) {
        self.body = Bytes::new();
        self.entry.rows = Rows::None;
        self.entry.items = 0;
        if let Some(origin) = &mut self.entry.origin {
            origin.sequence = None;
        }
    }
}

fn refuse(shared: &Shared, group: impl IntoIterator<Item = Waiting>, what: &str) {
    for waiting in group {
        shared.pressure.release(waiting.cost);
        let _ = waiting.reply.send(Err(AppendError::Io {
            what: what.to_owned(),
            retry_after: shared.options.wal_retry,
        }));
    }
}

#[allow(clippy::disallowed_methods)] // the edge that decides when a buffer is old
fn now() -> Instant {
    Instant::now()
}
