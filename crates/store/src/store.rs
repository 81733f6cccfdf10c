//! The handle that everything else holds.

mod options;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;
use throughline_telemetry::{Signal, TraceId, UnixNanos};
use tokio::sync::oneshot;

pub use options::Options;

use crate::body::Body;
use crate::buffer::Entry;
use crate::catalog::{self, Catalog};
use crate::compaction::{self, Compaction};
use crate::completeness::{self, CompletenessFilter, Report};
use crate::costs::CostList;
use crate::damage::Damages;
use crate::directory::{Directory, Layout};
use crate::edges::EdgeList;
use crate::error::{AppendError, CompactError, OpenError, ReadError, SealError};
use crate::follow::{Arrivals, Invocations};
use crate::limits::{BODY_BYTES_MAX, BUILD_ASIDE_BYTES, QUEUE_MAX, READ_ATTEMPTS_MAX};
use crate::origin::Origin;
use crate::pressure::Pressure;
use crate::read::{
    AttributeKey, AttributeValue, Listed, MetricFilter, MetricPage, Reader, ServiceFilter,
    ServiceList, TraceFilter, TracePage, TraceRows, Traces, ValueTraces,
};
use crate::recovery::{self, Recovered, Recovery};
use crate::rows::Rows;
use crate::scan::{ByMinute, OperationFilter, OperationList, Scan, SumFilter};
use crate::sealer::Sealer;
use crate::segment::SegmentFiles;
use crate::snapshot::Live;
use crate::stats::{Counters, Stats};
use crate::wal::WalSerializer;
use crate::writer::{Append, Command, Writer};

/// An open data directory. Clones share it; the last one to go stops its threads.
#[derive(Clone)]
pub struct Store(Arc<Handle>);

impl Store {
    /// Opens a data directory, makes it where there is none, and replays what a crash left in the
    /// WAL. Takes as long as reading the WAL does.
    pub fn open(options: Options) -> Result<(Store, Recovery), OpenError> {
        let directory = Directory::open(&options.directory)?;
        let recovered = recovery::recover(&directory, &options)?;
        let recovery = recovered.recovery.clone();
        Ok((
            Store(Arc::new(Handle::start(directory, options, recovered)?)),
            recovery,
        ))
    }

    /// Stores a body. Resolves once it is on disk and its rows can be read; later than that when much
    /// waits to be sealed, so that senders slow down before they have to be turned away.
    ///
    /// A body whose sender says which batch it is is stored unless that batch is stored already. Of
    /// two copies in flight at once the second waits for the first. What the sender says of itself is
    /// stored either way, also with a body without items.
    pub async fn append(
        &self,
        body: Body,
        received: UnixNanos,
        origin: Option<Origin>,
    ) -> Result<Stored, AppendError> {
        if body.raw().len() > BODY_BYTES_MAX {
            return Err(AppendError::TooLarge {
                body_bytes: body.raw().len(),
                body_bytes_max: BODY_BYTES_MAX,
            });
        }
        let totals = body.totals();
        if totals.rows == 0 && origin.is_none() {
            return Ok(Stored::New);
        }
        let begun = now();
        let origin = origin.map(|origin| Box::new(origin.cut()));
        let cost = cost(&body, origin.as_deref());
        let signal = body.signal();
        let (raw, rows) = body.into_parts();
        let bytes = raw.len() as u64;
        let entry = Entry {
            rows: ready(rows, raw.len(), received).await?,
            received,
            cost,
            items: totals.items as u64,
            origin,
        };
        let done = self.enqueue(signal, raw, entry)?;
        let stored = done.await.unwrap_or(Err(AppendError::Closed))?;
        if let Some(delay) = self.0.shared.ack_delay() {
            tokio::time::sleep(delay).await;
        }
        let counters = &self.0.shared.counters;
        counters.acks.add(begun.elapsed());
        if stored == Stored::New {
            let counters = counters.of(signal);
            counters.accepted_requests.add(1);
            counters.accepted_rows.add(totals.rows as u64);
            counters.accepted_bytes.add(bytes);
        }
        Ok(stored)
    }

    /// The newest traces that a filter lets through. Blocks on the disk.
    pub fn find_traces(&self, filter: &TraceFilter) -> Result<TracePage, ReadError> {
        self.read(|reader| reader.find_traces(filter))
    }

    /// The spans, without duplicates, and the log records of a trace; none if it is unknown.
    /// Blocks on the disk.
    pub fn trace(&self, id: TraceId) -> Result<TraceRows, ReadError> {
        self.read(|reader| reader.trace(id))
    }

    /// Reads as many traces as it takes, all from one snapshot. What damage is found is set aside, and
    /// the question asked once more. Blocks on the disk.
    pub fn traces<T>(
        &self,
        read: impl Fn(&Traces<'_>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.read(|reader| read(&Traces(reader)))
    }

    /// The traces of the spans or log records that have this text, or the whole number that it is, in any of
    /// these attributes, as long as it may go on. Blocks on the disk.
    pub fn traces_with_value(
        &self,
        signal: Signal,
        text: &str,
        keys: &[String],
        may_go_on: &dyn Fn() -> bool,
    ) -> Result<ValueTraces, ReadError> {
        self.read(|reader| reader.traces_with_value(signal, text, keys, may_go_on))
    }

    /// The newest metric points that a filter lets through. Blocks on the disk.
    pub fn find_metrics(&self, filter: &MetricFilter) -> Result<MetricPage, ReadError> {
        self.read(|reader| reader.find_metrics(filter))
    }

    /// The services that have sent spans, by name. Blocks on the disk.
    pub fn services(&self, filter: &ServiceFilter) -> Result<ServiceList, ReadError> {
        self.read(|reader| self.scan().services(*filter, &reader.last_seen()))
    }

    /// What calls what, in one environment or in all. Blocks on the disk.
    pub fn edges(
        &self,
        filter: &SumFilter,
        environment: Option<&str>,
    ) -> Result<EdgeList, ReadError> {
        self.read_columns(|scan| scan.edges(filter, environment))
    }

    /// What services do. Blocks on the disk.
    pub fn operations(&self, filter: &OperationFilter) -> Result<OperationList, ReadError> {
        self.read_columns(|scan| scan.operations(filter))
    }

    /// What was done in each of these whole minutes. Blocks on the disk.
    pub fn by_minute(&self, from: UnixNanos, to: UnixNanos) -> Result<ByMinute, ReadError> {
        self.read_columns(|scan| scan.by_minute(from, to))
    }

    /// What functions are estimated to have cost. Blocks on the disk.
    pub fn costs(&self, filter: &SumFilter) -> Result<CostList, ReadError> {
        self.read_columns(|scan| scan.costs(filter))
    }

    /// What the extension tells of invocations from now on.
    pub fn follow(&self) -> Invocations {
        self.0.shared.arrivals.follow()
    }

    /// Keys of attributes that begin with `prefix`, those that most rows of the buffers and of the newest
    /// segments have first. Blocks on the disk.
    pub fn attribute_keys(
        &self,
        signal: Signal,
        prefix: &str,
        limit: usize,
    ) -> Result<Listed<AttributeKey>, ReadError> {
        self.read(|reader| reader.attribute_keys(signal, prefix, limit))
    }

    /// Values of an attribute that begin with `prefix`, of those that a segment has most. Blocks on the
    /// disk.
    pub fn attribute_values(
        &self,
        signal: Signal,
        key: &str,
        prefix: &str,
        limit: usize,
    ) -> Result<Listed<AttributeValue>, ReadError> {
        self.read(|reader| reader.attribute_values(signal, key, prefix, limit))
    }

    /// Everything stored at this moment, to be read by columns.
    pub fn scan(&self) -> Scan {
        Scan::new(Arc::clone(&self.0.shared))
    }

    /// What is missing of functions, and why. Blocks on the disk.
    pub fn completeness(&self, filter: &CompletenessFilter) -> Result<Report, ReadError> {
        let shared = &self.0.shared;
        let buffers = shared.live.buffers(); // before the catalog's version is fixed
        let catalog = catalog::open_to_read(&shared.layout.catalog())?;
        completeness::report(catalog, &buffers, filter)
    }

    /// Makes segments of everything buffered. Blocks until that is done.
    pub fn seal(&self) -> Result<(), SealError> {
        let (done, outcome) = mpsc::channel();
        let reply = Box::new(move |result| {
            let _ = done.send(result);
        });
        self.0.send(Command::Seal(reply))?;
        outcome.recv().unwrap_or(Err(SealError::Closed))
    }

    /// Drops what [`Options::retention`] does not keep at this time, merges the segments that are worth
    /// merging, and deletes the files of those dropped and replaced that no reader has any more. Blocks
    /// until that is done.
    pub fn compact(&self, now: UnixNanos) -> Result<(), CompactError> {
        let done = compaction::compact(&self.0.shared, &|| now, &mut || Ok(()));
        done.map_err(|why| CompactError(why.to_string()))
    }

    /// Makes segments of everything buffered, stops the threads and lets the directory go.
    pub async fn close(self) -> Result<(), SealError> {
        let (done, outcome) = oneshot::channel();
        let reply = Box::new(move |result| {
            let _ = done.send(result);
        });
        self.0.send(Command::Close(reply))?;
        let result = outcome.await.unwrap_or(Err(SealError::Closed));
        // After their last reply the threads have nothing to wait for.
        self.0.join();
        self.0.unlock();
        result
    }

    /// One line for each segment that was found damaged, at the start or since.
    pub fn damaged(&self) -> Vec<String> {
        self.0.shared.damages.notes()
    }

    /// What the store has done and what it holds.
    pub fn stats(&self) -> Stats {
        let shared = &self.0.shared;
        let counters = &shared.counters;
        let segments = shared.live.segments();
        Stats {
            requests: counters.requests.total(),
            rows: counters.rows.total(),
            groups: counters.groups.total(),
            duplicates: counters.duplicates.total(),
            delayed: counters.delayed.total(),
            overloaded: counters.overloaded.total(),
            wal_failures: counters.wal_failures.total(),
            seals: counters.seals.total(),
            seal_failures: counters.seal_failures.total(),
            compactions: counters.compactions.total(),
            compaction_failures: counters.compaction_failures.total(),
            merged_rows: counters.merged_rows.total(),
            duplicate_rows: counters.duplicate_rows.total(),
            retention_segments: counters.sum(|of| &of.dropped_segments),
            retention_rows: counters.sum(|of| &of.dropped_rows),
            retention_bytes: counters.sum(|of| &of.dropped_bytes),
            pruned_environments: counters.pruned_environments.total(),
            unsealed_bytes: shared.pressure.unsealed_bytes(),
            segments: segments.all().count() as u64,
            segment_bytes: segments.all().map(|segment| segment.disk_bytes()).sum(),
            skipped_bytes: counters.skipped_bytes.total(),
        }
    }

    /// Puts a body into the writer's queue, unless the store is full.
    fn enqueue(
        &self,
        signal: Signal,
        body: Bytes,
        entry: Entry,
    ) -> Result<oneshot::Receiver<Result<Stored, AppendError>>, AppendError> {
        let shared = &self.0.shared;
        let cost = entry.cost;
        if !shared.pressure.charge(cost) {
            return Err(shared.overloaded());
        }
        let (reply, done) = oneshot::channel();
        let append = Append {
            signal,
            body,
            entry,
            reply,
        };
        self.0
            .try_send(Command::Append(Box::new(append)))
            .map_err(|error| {
                shared.pressure.release(cost);
                match error {
                    TrySendError::Full(_) => shared.overloaded(),
                    TrySendError::Disconnected(_) => AppendError::Closed,
                }
            })?;
        Ok(done)
    }

    /// Reads from a snapshot. A damaged segment is set aside, and the rest is read once more.
    fn read<T>(&self, read: impl Fn(Reader<'_>) -> Result<T, ReadError>) -> Result<T, ReadError> {
        self.undamaged(|| read(self.reader()))
    }

    /// The same by columns.
    fn read_columns<T>(
        &self,
        read: impl Fn(&Scan) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        self.undamaged(|| read(&self.scan()))
    }

    fn undamaged<T>(&self, read: impl Fn() -> Result<T, ReadError>) -> Result<T, ReadError> {
        let shared = &self.0.shared;
        let mut result = read();
        for _ in 1..READ_ATTEMPTS_MAX {
            match &result {
                Err(error) if shared.found_damage(error) => result = read(),
                _ => break,
            }
        }
        result
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        let shared = &self.0.shared;
        shared.counters.reads.add(1);
        Reader::new(shared.live.snapshot(), &shared.files)
    }
}

/// What became of a body that was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It was stored.
    New,
    /// It had been stored before.
    Already,
}

/// What a body takes of the budget: its frame in the WAL, and its rows and its sender in memory.
pub(crate) fn cost(body: &Body, origin: Option<&Origin>) -> u64 {
    let sender = origin.map_or(0, Origin::memory_bytes);
    let rows = body.totals().memory_bytes;
    (WalSerializer::frame_bytes(body.raw(), origin) + rows + sender) as u64
}

/// The rows of a large body are made into a batch aside, so that the writer's thread does not hold up
/// all others for it.
async fn ready(rows: Rows, bytes: usize, received: UnixNanos) -> Result<Rows, AppendError> {
    let checked = match rows {
        Rows::Checked(checked) if bytes >= BUILD_ASIDE_BYTES => checked,
        rows => return Ok(rows),
    };
    let built = tokio::task::spawn_blocking(move || Rows::built(&checked, received));
    // Only a runtime that shuts down drops the task.
    built.await.map_err(|_| AppendError::Closed)
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let directory = &self.0.shared.options.directory;
        f.debug_struct("Store")
            .field("directory", directory)
            .finish_non_exhaustive()
    }
}

/// What the handle, the writer and the sealer share.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) layout: Layout,
    pub(crate) live: Live,
    pub(crate) files: SegmentFiles,
    pub(crate) catalog: Mutex<Catalog>,
    pub(crate) counters: Counters,
    pub(crate) damages: Damages,
    pub(crate) arrivals: Arrivals,
    pub(crate) compaction: Mutex<Compaction>,
    pub(crate) pressure: Pressure,
}

impl Shared {
    /// How long an answer is to be held back, because so much waits to be sealed or merged; counted.
    fn ack_delay(&self) -> Option<Duration> {
        let delay = self.pressure.ack_delay()?;
        self.counters.delayed.add(1);
        Some(delay)
    }

    /// Counts the segments that wait to be merged, where somebody merges them.
    pub(crate) fn note_unmerged(&self, now: UnixNanos) {
        if self.options.compacts {
            let unmerged = compaction::unmerged(&self.live.segments(), now);
            self.pressure.note_unmerged(unmerged.len() as u64);
        }
    }

    /// Sees to a segment that could not be read. Whether it is worth reading again.
    pub(crate) fn found_damage(&self, error: &ReadError) -> bool {
        let Shared {
            layout,
            files,
            live,
            ..
        } = self;
        self.damages.found(layout, files, live, error)
    }

    fn overloaded(&self) -> AppendError {
        self.counters.overloaded.add(1);
        AppendError::Overloaded {
            retry_after: self.pressure.retry_after(),
            unsealed_bytes: self.pressure.unsealed_bytes(),
        }
    }
}

#[allow(clippy::disallowed_methods)] // the edge that measures how long senders wait
fn now() -> Instant {
    Instant::now()
}

/// The one owner of the threads.
struct Handle {
    shared: Arc<Shared>,
    /// Taken away when the last handle goes, which stops the threads.
    commands: Option<SyncSender<Command>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    directory: Mutex<Option<Directory>>,
}

impl Handle {
    fn start(
        directory: Directory,
        options: Options,
        recovered: Recovered,
    ) -> Result<Self, OpenError> {
        let layout = directory.layout();
        let skipped = recovered.recovery.skipped_bytes;
        let waiting = VecDeque::from(recovered.frozen.clone());
        let unsealed = waiting.iter().map(|buffer| buffer.cost()).sum();
        let compaction = Compaction::after(recovered.last_merged);
        let shared = Arc::new(Shared {
            compaction: Mutex::new(compaction),
            files: SegmentFiles::new(layout.clone()),
            layout,
            live: Live::new(recovered.segments, recovered.frozen, recovered.active),
            catalog: Mutex::new(recovered.catalog),
            counters: Counters::default(),
            arrivals: Arrivals::default(),
            damages: Damages::new(recovered.recovery.damaged),
            pressure: Pressure::new(unsealed, options.unsealed_bytes_max),
            options,
        });
        shared.counters.skipped_bytes.add(skipped);
        let (commands, received) = mpsc::sync_channel(QUEUE_MAX);
        let (jobs, taken) = mpsc::channel();
        let (wal, known) = (recovered.wal, recovered.known);
        let writer = Writer::new(Arc::clone(&shared), received, jobs, wal, known);
        let (wake, wakes) = mpsc::channel();
        let sealer = Sealer::new(Arc::clone(&shared), taken, waiting, wake);
        let mut threads = vec![
            spawn("store-writer", directory.path(), move || writer.run())?,
            spawn("store-sealer", directory.path(), move || sealer.run())?,
        ];
        if shared.options.compacts {
            let shared = Arc::clone(&shared);
            let run = move || compaction::run(&shared, &wakes);
            threads.push(spawn("store-compactor", directory.path(), run)?);
        }
        Ok(Handle {
            shared,
            commands: Some(commands),
            threads: Mutex::new(threads),
            directory: Mutex::new(Some(directory)),
        })
    }

    fn try_send(&self, command: Command) -> Result<(), TrySendError<Command>> {
        match &self.commands {
            Some(commands) => commands.try_send(command),
            None => Err(TrySendError::Disconnected(command)),
        }
    }

    /// Waits for room in the queue, unlike an append.
    fn send(&self, command: Command) -> Result<(), SealError> {
        let sent = self
            .commands
            .as_ref()
            .map(|commands| commands.send(command));
        match sent {
            Some(Ok(())) => Ok(()),
            _ => Err(SealError::Closed),
        }
    }

    fn join(&self) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }

    fn unlock(&self) {
        let mut directory = self
            .directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *directory = None;
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.commands = None;
        self.join();
    }
}

fn spawn(
    name: &str,
    directory: &Path,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(run).map_err(|source| OpenError::Unwritable {
        directory: directory.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
