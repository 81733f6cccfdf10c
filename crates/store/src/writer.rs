//! The one thread that writes the WAL.
//!
//! Group commit without a timer: whatever arrives while an fdatasync runs is the next group. After
//! the fdatasync the rows of the group go into the buffer, and only then are they acknowledged.
//!
//! Because one thread does it all, of two copies of a batch one is always first, and the second
//! finds it in the same group, in a buffer or in the catalog ([`Known`]). Copies are acknowledged
//! after their group, so never before the first is on disk.
//!
//! **Invariant**: after an I/O error nothing is acknowledged any more. A failed fsync may have
//! thrown the dirty pages away, so that the next one would succeed without them.

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
                let interval = self.shared.options.seal_interval;
                let left = interval.saturating_sub(since.elapsed());
                self.commands.recv_timeout(left)
            }
        }
    }

    /// Makes a group durable, shows it and acknowledges it.
    fn commit(&mut self, group: Vec<Append>) {
        if group.is_empty() {
            return;
        }
        if let Some(what) = self.shared.poison.get() {
            refuse(&self.shared, group.into_iter().map(Waiting::of), what);
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
            Err(what) => refuse(&self.shared, new.into_iter().chain(already), &what),
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
                    self.shared.release(append.entry.cost);
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
        written.map_err(|error| {
            let what = self.shared.poison(error.to_string());
            tracing::error!(%error, generation = self.wal.generation(), "wal write failed");
            what
        })?;
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
        self.buffer.insert(group);
        for waiting in waiting {
            // A sender that went away has no use for the answer; its rows stay.
            let _ = waiting.reply.send(Ok(waiting.stored));
        }
        self.since.get_or_insert_with(now);
    }

    fn acknowledge(&self, already: impl Iterator<Item = Waiting>) {
        for waiting in already {
            self.shared.counters.requests.add(1);
            self.shared.release(waiting.cost);
            let _ = waiting.reply.send(Ok(Stored::Already));
        }
    }

    /// Whether the buffer has grown or aged enough to be sealed.
    fn is_due(&self) -> bool {
        let options = &self.shared.options;
        let old = |since: Instant| since.elapsed() >= options.seal_interval;
        self.wal.bytes() >= options.buffer_bytes_max
            || self.buffer.cost() >= options.unsealed_bytes_max / 4
            || self.since.is_some_and(old)
    }

    /// Starts the next generation and hands the buffer of this one to the sealer.
    fn roll(&mut self, replies: Vec<Reply>) {
        let buffer = match self.freeze() {
            Ok(buffer) => buffer,
            Err(what) => {
                // Nothing can be sealed any more, so there is nothing to wake up for.
                self.since = None;
                let generation = self.wal.generation();
                let error = SealError::Failed { generation, what };
                replies
                    .into_iter()
                    .for_each(|reply| reply(Err(error.clone())));
                return;
            }
        };
        if self.sealer.send(SealJob { buffer, replies }).is_err() {
            // It waits for this end of the channel to go, so it must have panicked. The rows stay
            // in the WAL, and the byte budget turns senders away in the end.
            tracing::error!("the sealer is gone, nothing is sealed until a restart");
        }
    }

    fn freeze(&mut self) -> Result<Option<Arc<Buffer>>, String> {
        if self.buffer.is_empty() {
            self.since = None;
            return Ok(None);
        }
        if let Some(what) = self.shared.poison.get() {
            return Err(what.clone());
        }
        let generation = self.wal.generation() + 1;
        let shared = &self.shared;
        let created = WalWriter::create(&shared.layout, generation, shared.options.probe.clone());
        self.wal = created.map_err(|error| {
            tracing::error!(%error, generation, "wal file not made");
            shared.poison(error.to_string())
        })?;
        self.frames = WalSerializer::new(generation);
        let frozen = shared.live.freeze(Buffer::new(generation));
        self.buffer = shared.live.active();
        self.since = None;
        Ok(Some(frozen))
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
        shared.release(waiting.cost);
        let _ = waiting.reply.send(Err(AppendError::Io(what.to_owned())));
    }
}

#[allow(clippy::disallowed_methods)] // the edge that decides when a buffer is old
fn now() -> Instant {
    Instant::now()
}
