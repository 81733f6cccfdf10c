//! What is unusual, watched for in the background.
//!
//! Once a minute a [`Detector`] is given what the store knows of each minute that is complete, which it is
//! [`DELAY`] after its end: what comes later is not counted. Everything is read and judged on the threads of
//! queries, which the kernel runs after all others.
//!
//! What it remembers is written to `detection/state` in the data directory every ten minutes, when an incident
//! opens or closes, and when the server stops. Minutes after that are read from the store again, so a crash
//! loses nothing: the same minutes give the same incidents.
//!
//! - **The first time**, up to eight days of what is stored are learned from, and nothing in them is judged.
//! - **After a pause** of more than [`PAUSE`] as much is learned from only: what was silent meanwhile was this server.

mod attempts;
mod changes;
mod feed;
mod file;
mod health;
mod logs;
mod outer;
mod queues;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use throughline_insight::Detector;
use throughline_insight::cause::Question;
use throughline_insight::detect::{Allowed, Counts, Incident, Node, Settings, Subject, Update};
use throughline_insight::facts::Facts;
use throughline_insight::question::{Name, Symptom};
use throughline_query::{Engine, QueryError};
use throughline_store::{
    ByMinute, CompletenessFilter, Count, ReadError, Search, SearchError, SearchOrder, SearchQuery,
    Store,
};
use throughline_telemetry::{Span, UnixNanos};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::config::Clock;
pub(crate) use feed::{Names, answers};
use file::StateFile;
pub(crate) use health::DetectionHealth;
pub(crate) use logs::signature;
pub(crate) use outer::OuterCounts;
pub(crate) use queues::{ByPlace, quoted, statement};

/// Watches. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Detection(Arc<Shared>);

struct Shared {
    store: Store,
    engine: Arc<Engine>,
    clock: Clock,
    file: StateFile,
    kept: Mutex<Kept>,
    /// What is known of alerts of others.
    outer: Mutex<outer::Outer>,
    /// When the server was started.
    opened: UnixNanos,
    counters: Counters,
}

/// What is known, and written down.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    detector: Detector,
    names: Names,
    /// The minutes before this time are known; zero if none is.
    until: u64,
    /// Up to here minutes are learned from and not judged.
    learn_until: u64,
}

#[derive(Default)]
struct Counters {
    minutes: AtomicU64,
    failures: AtomicU64,
    busy_micros: AtomicU64,
    saves: AtomicU64,
    save_failures: AtomicU64,
    state_bytes: AtomicU64,
    /// Answers that a minute had too many rows for.
    cut: AtomicU64,
}

/// What the platform told of invocations, summed up by function and minute.
#[derive(Default)]
pub(crate) struct Reports {
    reports: Vec<logs::Report>,
    timeouts: Vec<logs::Timeouts>,
}

/// Why minutes could not be taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TakeError {
    /// The threads of queries did not answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What is stored could not be looked through.
    #[error(transparent)]
    Search(#[from] SearchError),
}

impl Detection {
    /// Goes on where the last run was. What cannot be read is set aside. Blocks on the disk.
    pub(crate) fn open(store: Store, engine: Arc<Engine>, data_dir: &Path, clock: Clock) -> Self {
        let file = StateFile::new(data_dir);
        let counters = Counters::default();
        let mut kept: Kept = match file.load() {
            Ok(Some((kept, bytes))) => {
                counters.state_bytes.store(bytes, Ordering::Relaxed);
                kept
            }
            Ok(None) => Kept::default(),
            Err(error) => {
                tracing::error!("{error}");
                Kept::default()
            }
        };
        let opened = clock.now();
        kept.pause_until(complete(opened));
        Detection(Arc::new(Shared {
            store,
            engine,
            clock,
            file,
            kept: Mutex::new(kept),
            outer: Mutex::default(),
            opened,
            counters,
        }))
    }

    /// Watches until the server stops; then writes down what is known.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let look = async {
                looks.tick().await;
                self.catch_up().await;
                self.end_unrepeated().await;
            };
            tokio::select! {
                () = look => {}
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
        }
        let saved = tokio::task::spawn_blocking(move || self.save()).await;
        if let Err(error) = saved {
            tracing::error!(%error, "writing down what detection knows ended badly");
        }
    }

    /// What is all right from now on, and opens no incident.
    pub(crate) fn allow(&self, allowed: Vec<Allowed>) {
        self.kept().detector.allow(allowed);
    }

    /// Looks at incidents.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Detector) -> T) -> T {
        look(&self.kept().detector)
    }

    /// What is asked about an incident, and what has to be known to answer; none if there is nothing to ask.
    pub(crate) async fn asked(
        &self,
        incident: &Incident,
    ) -> Result<Option<(Question, Facts)>, TakeError> {
        let Some(question) = Question::of(incident, self.complete()) else {
            return Ok(None);
        };
        let mut reports = Reports::default();
        if let Some(times) = question.times_of(Symptom::Expensive) {
            reports = reports.and(self.reports(&times).await?);
        }
        if let Some(times) = question.times_of(Symptom::Timeout) {
            reports = reports.and(self.timeouts(&times).await?);
        }
        let facts = self.facts(question.times(), Arc::new(reports)).await?;
        Ok(Some((question, facts)))
    }

    /// What time it is.
    pub(crate) fn now(&self) -> UnixNanos {
        self.0.clock.now()
    }

    /// When the last minute ends that is complete.
    pub(crate) fn complete(&self) -> UnixNanos {
        complete(self.now())
    }

    /// What the store knows of some times, by subject. Reads hours of it.
    pub(crate) async fn facts(
        &self,
        times: Vec<Range<UnixNanos>>,
        reports: Arc<Reports>,
    ) -> Result<Facts, TakeError> {
        let detection = self.clone();
        let work = move || -> Result<Facts, TakeError> {
            let mut all = ByMinute::default();
            for times in times {
                let found = detection.0.store.by_minute(times.start, times.end)?;
                all.operations.extend(found.operations);
                all.edges.extend(found.edges);
            }
            // Hours of it: nobody else waits meanwhile.
            let mut names = detection.services();
            let takes = detection.with(|detector| detector.takes().cloned().collect());
            let told = (reports.reports.as_slice(), reports.timeouts.as_slice());
            let mut facts = feed::minutes(all, told, &mut names);
            facts.takes = takes;
            Ok(facts)
        };
        self.0.engine.blocking(work).await?
    }

    /// What services and functions are called, as far as anybody has seen.
    pub(crate) fn services(&self) -> Names {
        self.kept().names.without_setups()
    }

    /// Everything that is known by name, with what else it is called.
    pub(crate) fn names(&self) -> Vec<Name> {
        let kept = self.kept();
        let mut names: BTreeMap<String, Name> = BTreeMap::new();
        let calls = kept.detector.calls();
        for node in calls.flat_map(|(from, to)| [from, to]) {
            names.entry(node.clone()).or_insert_with(|| Name::of(node));
        }
        for (service, node) in kept.names.services() {
            let known = names.entry(node.clone());
            let known = known.or_insert_with(|| Name::of(&node));
            known.aliases.push(service);
        }
        names.into_values().collect()
    }

    /// What the platform reported of functions between two times.
    pub(crate) async fn reports(&self, times: &Range<UnixNanos>) -> Result<Reports, TakeError> {
        let Shared { store, engine, .. } = &*self.0;
        Ok(Reports {
            reports: logs::reports(engine, store, times.start, times.end).await?,
            ..Reports::default()
        })
    }

    /// Which invocations it ended between two times because they took too long. Spans are looked through for it, so
    /// this is for questions about timeouts.
    pub(crate) async fn timeouts(&self, times: &Range<UnixNanos>) -> Result<Reports, TakeError> {
        let Shared { store, engine, .. } = &*self.0;
        Ok(Reports {
            timeouts: logs::timeouts(engine, store, times.start, times.end).await?,
            ..Reports::default()
        })
    }

    /// What lies in queues, or waits for functions, in some times, and whether that is all of it.
    pub(crate) async fn lying(
        &self,
        times: &[Range<UnixNanos>],
    ) -> Result<(ByPlace, bool), TakeError> {
        let Shared { store, engine, .. } = &*self.0;
        Ok(queues::lying(engine, store, times).await?)
    }

    /// Takes in all minutes that are complete.
    async fn catch_up(&self) {
        loop {
            let taken = match self.next_minutes().await {
                Ok(Some((from, to))) => self.take(from, to).await,
                Ok(None) => return,
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                self.0.counters.failures.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%error, "minutes could not be watched; they are tried again");
                return;
            }
        }
    }

    /// From when until when there are minutes to take in.
    async fn next_minutes(&self) -> Result<Option<(UnixNanos, UnixNanos)>, TakeError> {
        let due = complete(self.0.clock.now());
        let known = UnixNanos(self.kept().until);
        let from = match known {
            UnixNanos(0) => self.begin(due).await?,
            known => known.max(due.minus(REMEMBERED)),
        };
        let to = due.min(from.plus(AT_ONCE));
        Ok((from < to).then_some((from, to)))
    }

    /// Where to begin that has never watched: at the oldest span that is worth it.
    async fn begin(&self, due: UnixNanos) -> Result<UnixNanos, TakeError> {
        let oldest = SearchQuery {
            from: Some(due.minus(REMEMBERED)),
            to: Some(due),
            order: SearchOrder::Oldest,
            limit: Some(1),
            count: Count::Page,
            ..SearchQuery::default()
        };
        let store = self.0.store.clone();
        let work = move || -> Result<Option<UnixNanos>, SearchError> {
            let search: Search<Span> = Search::new(&store.scan(), oldest)?;
            search.work()?;
            let page = search.finish()?;
            let rows = page.map(|page| page.rows).unwrap_or_default();
            Ok(rows.first().map(|span| minute_of(span.start)))
        };
        let oldest = self.0.engine.blocking(work).await??;
        Ok(oldest.unwrap_or(due))
    }

    /// Takes minutes in, oldest first.
    async fn take(&self, from: UnixNanos, to: UnixNanos) -> Result<(), TakeError> {
        let Shared { store, engine, .. } = &*self.0;
        let detection = self.clone();
        let read = move || detection.timed(|| detection.0.store.by_minute(from, to));
        let found = engine.blocking(read).await??;
        // Nobody reports or fails where nobody was called.
        let is_empty = found.operations.is_empty() && found.edges.is_empty();
        let told = match is_empty {
            true => Ok(logs::Told::default()),
            false => logs::read(engine, store, from, to).await,
        };
        let told = told.unwrap_or_else(|error| {
            self.0.counters.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%error, "what logs tell of minutes is not known to detection");
            logs::Told::default()
        });
        let failures = &self.0.counters.failures;
        failures.fetch_add(told.failed, Ordering::Relaxed);
        if told.cut > 0 {
            self.0.counters.cut.fetch_add(told.cut, Ordering::Relaxed);
            tracing::warn!("a minute has more reports or environments than detection can look at");
        }
        // A queue may grow though nobody takes from it.
        let queues = queues::read(engine, store, from, to).await;
        let queues = queues.unwrap_or_else(|error| {
            self.0.counters.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%error, "what lies in queues is not known to detection");
            queues::Queues::default()
        });
        let detection = self.clone();
        let judge = move || {
            detection.timed(|| {
                detection.look_at_what_arrived();
                detection.judge(found, &told, &queues, from, to);
            });
        };
        Ok(engine.blocking(judge).await?)
    }

    /// Counts what something takes.
    fn timed<T>(&self, work: impl FnOnce() -> T) -> T {
        let begun = moment();
        let done = work();
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let busy = &self.0.counters.busy_micros;
        busy.fetch_add(micros, Ordering::Relaxed);
        done
    }

    /// Telemetry that is lost is lost until its environments are not heard of for an hour.
    fn look_at_what_arrived(&self) {
        let now = self.0.clock.now();
        let asked = CompletenessFilter {
            function: None,
            from: Some(now.minus(ARRIVED)),
            to: None,
            limit: FUNCTIONS_MAX,
            now,
            after: None,
        };
        match self.0.store.completeness(&asked) {
            Ok(report) => {
                let functions = report.functions.iter();
                let mut kept = self.kept();
                kept.detector
                    .set_arrived(functions.filter_map(feed::arrived));
            }
            Err(error) => {
                self.0.counters.failures.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%error, "what arrived of telemetry is not known to detection");
            }
        }
    }

    fn judge(
        &self,
        found: ByMinute,
        told: &logs::Told,
        queues: &queues::Queues,
        from: UnixNanos,
        to: UnixNanos,
    ) {
        let mut kept = self.kept();
        queues.tell(&mut kept.detector);
        queues.name(&mut kept.names);
        // All that names a function is known before anything is counted, so that nothing is counted under two names.
        let failures = told.failures.iter().map(|it| (&it.service, &it.function));
        let used = told.used.iter().map(|it| (&it.service, &it.function));
        for (service, function) in failures.chain(used) {
            kept.names.learn(service, function);
        }
        let reports = (told.reports.as_slice(), told.timeouts.as_slice());
        let mut done = feed::minutes(found, reports, &mut kept.names);
        for (was, is) in kept.names.renamed() {
            kept.detector.rename(&was, &is);
        }
        feed::waited(&told.waits, &mut done);
        queues.retries(&mut done);
        attempts::counted(&told.attempts, &mut done);
        let mut by_minute: BTreeMap<UnixNanos, Vec<(&Subject, &Counts)>> = BTreeMap::new();
        for ((minute, subject), done) in &done.subjects {
            let minute = by_minute.entry(*minute).or_default();
            minute.push((subject, &done.counts));
        }
        let mut has_changed = false;
        let mut minute = from;
        while minute < to {
            for (subject, counts) in by_minute.remove(&minute).unwrap_or_default() {
                kept.detector.take(subject, minute, counts);
            }
            queues.end(&mut kept.detector, minute);
            let updates = kept.end(told, minute);
            has_changed |= updates.iter().any(|it| !matches!(it, Update::Grew(_)));
            minute = minute.plus(MINUTE);
            self.0.counters.minutes.fetch_add(1, Ordering::Relaxed);
        }
        drop(kept);
        if has_changed || self.0.file.is_due(self.0.clock.now()) {
            self.save();
        }
    }

    /// Writes down what is known. Blocks on the disk.
    fn save(&self) {
        let kept = self.kept();
        let counters = &self.0.counters;
        match self.0.file.save(&*kept, self.0.clock.now()) {
            Ok(bytes) => {
                counters.state_bytes.store(bytes, Ordering::Relaxed);
                counters.saves.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                counters.save_failures.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%error, "cannot write down what detection knows");
            }
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reports {
    /// Both together.
    pub(crate) fn and(mut self, more: Reports) -> Self {
        self.reports.extend(more.reports);
        self.timeouts.extend(more.timeouts);
        self
    }
}

impl Kept {
    /// Learns only, for a while, from what comes after a pause; and from all that was before the first start.
    fn pause_until(&mut self, now: UnixNanos) {
        let until = UnixNanos(self.until);
        if until.0 == 0 {
            self.learn_until = now.0;
        } else if until.plus(PAUSE) < now {
            self.learn_until = now.plus(PAUSE).0;
        }
    }

    /// Ends a minute: what it showed besides calls is taken in, then it is judged.
    fn end(&mut self, told: &logs::Told, minute: UnixNanos) -> Vec<Update> {
        let next = minute.plus(MINUTE);
        self.until = next.0;
        // Before what reports tell: of two changes the last is told, and a version says more than its timeout.
        let mut timeouts: BTreeMap<Node, Vec<&logs::Timeouts>> = BTreeMap::new();
        for of in told.timeouts.iter().filter(|it| it.minute == minute) {
            let node = self.names.node_of(&of.service, &of.function);
            timeouts.entry(node).or_default().push(of);
        }
        for (node, timeouts) in timeouts {
            let settings = Settings {
                timeout_ms: feed::limit_ms(&timeouts),
                memory_bytes: None,
            };
            self.detector.set(&node, settings);
            for change in self.names.timeout_changes(&timeouts) {
                self.detector.change(change);
            }
        }
        let reports = told.reports.iter().filter(|it| it.minute == minute);
        let reports: Vec<&logs::Report> = reports.collect();
        for change in self.names.changes_of_minute(&reports) {
            self.detector.change(change);
        }
        for report in reports {
            let node = self.names.node_of(&report.service, &report.function);
            let settings = Settings {
                timeout_ms: None,
                memory_bytes: Some(report.memory_bytes).filter(|bytes| *bytes > 0),
            };
            self.detector.set(&node, settings);
        }
        for failure in told.failures.iter().filter(|it| it.minute == minute) {
            let node = self.names.node_of(&failure.service, &failure.function);
            self.detector.take_error(&node, minute, failure.seen());
        }
        for (from, taker) in told.takers.get(&minute).into_iter().flatten() {
            self.detector.takes_from(taker, from, minute);
        }
        for used in told.used.iter().filter(|it| it.minute == minute) {
            let node = self.names.node_of(&used.service, &used.function);
            for bytes in &used.bytes {
                self.detector
                    .take_memory(&node, &used.environment, minute, *bytes);
            }
        }
        if next.0 / HOUR_NANOS != minute.0 / HOUR_NANOS {
            self.detector.forget(next);
        }
        if next.0 <= self.learn_until {
            self.detector.learn(next);
            return Vec::new();
        }
        self.detector.tick(next)
    }
}

/// The end of the last minute that is complete.
pub(crate) fn complete(now: UnixNanos) -> UnixNanos {
    minute_of(now.minus(DELAY))
}

fn minute_of(time: UnixNanos) -> UnixNanos {
    UnixNanos(time.0 - time.0 % MINUTE_NANOS)
}

#[allow(clippy::disallowed_methods)] // the edge that measures what detection takes
fn moment() -> Instant {
    Instant::now()
}

/// How long after its end a minute is complete. Spans count where they begin, so one that takes longer than this
/// is not counted.
pub(crate) const DELAY: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_secs(2);
const MINUTE: Duration = Duration::from_secs(60);
const MINUTE_NANOS: u64 = 60 * 1_000_000_000;
const HOUR_NANOS: u64 = 60 * MINUTE_NANOS;
/// Minutes that are read at once.
const AT_ONCE: Duration = Duration::from_secs(15 * 60);
/// Within less, with the two that are not complete, no silence is told: that takes eleven minutes. More than the ten after
/// which the state is written at the latest.
const PAUSE: Duration = Duration::from_secs(13 * 60);
/// Environments that were heard of within this time say what arrived.
const ARRIVED: Duration = Duration::from_secs(3600);
/// Functions of which that is looked at.
const FUNCTIONS_MAX: usize = 1000;
/// What a detector remembers.
const REMEMBERED: Duration = Duration::from_secs(8 * 24 * 3600);
