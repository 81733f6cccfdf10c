//! The one thread that writes the WAL.
//!
//! Group commit without a timer: whatever arrives while an fdatasync runs is the next group. After
//! the fdatasync the rows of the group go into the buffer, and only then are they acknowledged.
//!
//! **Invariant**: after an I/O error nothing is acknowledged any more. A failed fsync may have
//! thrown the dirty pages away, so that the next one would succeed without them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::Instant;

use bytes::Bytes;
use throughline_telemetry::{Signal, UnixNanos};
use tokio::sync::oneshot;

use crate::buffer::Buffer;
use crate::error::{AppendError, SealError};
use crate::limits::GROUP_BYTES_MAX;
use crate::rows::Rows;
use crate::sealer::{Reply, SealJob};
use crate::store::Shared;
use crate::wal::{WalSerializer, WalWriter};

/// What the writer is asked to do.
pub(crate) enum Command {
    Append(Append),
    /// Seal what is buffered, and say when it is done.
    Seal(Reply),
    /// The same, and then stop.
    Close(Reply),
}

/// A body to be made durable and its rows to be shown.
pub(crate) struct Append {
    pub(crate) signal: Signal,
    pub(crate) body: Bytes,
    pub(crate) rows: Rows,
    pub(crate) received: UnixNanos,
    /// What was charged to the budget.
    pub(crate) cost: u64,
    pub(crate) reply: oneshot::Sender<Result<(), AppendError>>,
}

/// The state of the writer's thread.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    commands: Receiver<Command>,
    sealer: Sender<SealJob>,
    wal: WalWriter,
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
    ) -> Self {
        Writer {
            frames: WalSerializer::new(wal.generation()),
            buffer: shared.live.active(),
            since: None,
            shared,
            commands,
            sealer,
            wal,
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
        match self.write(&group) {
            Ok(()) => self.show(group),
            Err(what) => self.refuse(group, &what),
        }
    }

    fn write(&mut self, group: &[Append]) -> Result<(), String> {
        if let Some(what) = self.shared.poison.get() {
            return Err(what.clone());
        }
        self.frames.clear();
        for append in group {
            self.frames
                .push(append.signal, append.received, &append.body);
        }
        self.wal.commit(&self.frames).map_err(|error| {
            let what = self.shared.poison(error.to_string());
            tracing::error!(%error, generation = self.wal.generation(), "wal write failed");
            what
        })?;
        self.shared.counters.groups.add(1);
        Ok(())
    }

    fn show(&mut self, group: Vec<Append>) {
        let counters = &self.shared.counters;
        let mut replies = Vec::with_capacity(group.len());
        self.buffer.insert(group.into_iter().map(|append| {
            counters.requests.add(1);
            counters.rows.add(append.rows.len() as u64);
            replies.push(append.reply);
            (append.rows, append.received, append.cost)
        }));
        for reply in replies {
            // A sender that went away has no use for the answer; its rows stay.
            let _ = reply.send(Ok(()));
        }
        self.since.get_or_insert_with(now);
    }

    fn refuse(&self, group: Vec<Append>, what: &str) {
        for append in group {
            self.shared.release(append.cost);
            let _ = append.reply.send(Err(AppendError::Io(what.to_owned())));
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
                self.group_bytes += WalSerializer::frame_bytes(&append.body);
                self.group.push(append);
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

#[allow(clippy::disallowed_methods)] // the edge that decides when a buffer is old
fn now() -> Instant {
    Instant::now()
}
