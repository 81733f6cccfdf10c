//! The service: what is told goes into an outbox on disk, and from there to whom it is for.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use throughline_telemetry::UnixNanos;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::choices::{self, Choices};
use crate::decide::Decision;
use crate::format::Frame;
use crate::incident::INCIDENT;
use crate::keep::{Keep, KeepError};
use crate::noise::{self, Report};
use crate::notice::{Notice, Phase};
use crate::outbox::{Content, Counters, Job, Outbox, Outcome, addresses};
use crate::send::{Answer, Sender};
use crate::settings::{Mute, Problems, RawSettings, Receiver, Settings};
use crate::stop;

/// Tells people. Cheap to clone.
#[derive(Clone)]
pub struct Teller(Arc<Shared>);

/// What time it is.
pub type Now = Arc<dyn Fn() -> UnixNanos + Send + Sync>;

struct Shared {
    keep: Keep,
    sender: Sender,
    now: Now,
    /// Where environment variables come from.
    variables: fn(&str) -> Option<String>,
    /// Where this server is reached if the settings do not say so.
    otherwise: String,
    /// Who makes links at which readers can choose.
    choices: Arc<dyn Choices>,
    key: Vec<u8>,
    state: Mutex<State>,
    /// That there is something to send.
    wake: Notify,
    save_failures: AtomicU64,
}

struct State {
    settings: Arc<Settings>,
    /// How often the settings were another.
    version: u64,
    outbox: Outbox,
    /// What is on disk.
    saved: Outbox,
}

/// Why settings could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// They do not hold together.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// Somebody else has changed them since they were read.
    #[error("they were changed since they were read: read them again")]
    Changed,
    /// They cannot be written.
    #[error(transparent)]
    Keep(#[from] KeepError),
}

/// How telling does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TellerHealth {
    /// What has come of everything since the start.
    pub counters: Counters,
    /// Messages that wait to be sent.
    pub waiting: usize,
    /// Notices that wait to be told with others.
    pub held: usize,
    /// Times that the state could not be written.
    pub save_failures: u64,
}

impl Teller {
    /// Goes on where the last run was, and says what could not be read. Blocks on the disk.
    pub fn open(
        data_dir: &Path,
        otherwise: String,
        now: Now,
        variables: fn(&str) -> Option<String>,
        choices: Arc<dyn Choices>,
    ) -> (Self, Vec<KeepError>) {
        let keep = Keep::new(data_dir);
        let kept = keep.load();
        let settings = kept.settings.reached_at(otherwise.clone());
        let teller = Teller(Arc::new(Shared {
            keep,
            sender: Sender::new(),
            now,
            variables,
            otherwise,
            choices,
            key: kept.key,
            state: Mutex::new(State {
                settings: Arc::new(settings),
                version: 0,
                outbox: kept.outbox,
                // Nothing is known to be on disk, the key neither.
                saved: Outbox::default(),
            }),
            wake: Notify::new(),
            save_failures: AtomicU64::default(),
        }));
        (teller, kept.errors)
    }

    /// The settings of now.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.state().settings)
    }

    /// Grows with each change of the settings.
    pub fn version(&self) -> u64 {
        self.state().version
    }

    /// Takes other settings, in which secrets that are masked stay; if an [edition](Settings::edition) is named, only in
    /// place of that one. Blocks on the disk.
    pub fn set(&self, raw: RawSettings, edition: Option<&str>) -> Result<(), SetError> {
        // One after the other, so that none is lost between reading and writing.
        let mut state = self.state();
        if edition.is_some_and(|edition| edition != state.settings.edition()) {
            return Err(SetError::Changed);
        }
        let settings = Settings::try_update(raw, &state.settings)?;
        self.put(&mut state, settings)?;
        Ok(())
    }

    /// Takes a notice, and says what becomes of it.
    pub fn tell(&self, notice: &Notice) -> Vec<Decision> {
        let now = (self.0.now)();
        let mut state = self.state();
        let settings = Arc::clone(&state.settings);
        let decisions = state.outbox.take(&settings, notice, now);
        self.0.wake.notify_one();
        decisions
    }

    /// Whether somebody was told of this, and not yet that it has ended.
    pub fn is_open(&self, about: &str) -> bool {
        self.state().outbox.told().is_open(about)
    }

    /// Takes that somebody has looked after what a notice is about. Pagers are told, once.
    pub fn acted(&self, notice: &Notice) {
        let now = (self.0.now)();
        let mut state = self.state();
        if state.outbox.acted(&notice.about) {
            let settings = Arc::clone(&state.settings);
            state.outbox.take(&settings, notice, now);
            self.0.wake.notify_one();
        }
    }

    /// Mutes this besides what the settings mute, from now on and until the next start.
    pub fn mute(&self, also: Vec<Mute>) {
        let mut state = self.state();
        if state.settings.also_muted() != also {
            state.settings = Arc::new(Settings::clone(&state.settings).muting(also));
        }
    }

    /// Tells whoever was told of an incident that it has ended if it is none of those that are known, by what they are
    /// [about](crate::about): what detection remembered may be lost.
    pub fn forget_others(&self, known: &BTreeSet<String>) {
        let now = (self.0.now)();
        let mut state = self.state();
        let settings = Arc::clone(&state.settings);
        for notice in state.outbox.lost(INCIDENT, known, &settings, now) {
            state.outbox.take(&settings, &notice, now);
            self.0.wake.notify_one();
        }
    }

    /// What was told in the last week.
    pub fn report(&self) -> Report {
        noise::report(self.state().outbox.told(), (self.0.now)())
    }

    /// Sends a sample to a receiver, and its end where it would stay open, and says for each address what the other side
    /// said; none if there is no such receiver.
    pub async fn test(&self, receiver: &str) -> Option<Vec<(Option<String>, Answer)>> {
        let settings = self.settings();
        let known = settings.receiver(receiver)?;
        let sample = Notice::sample(settings.base(), &settings.raw().environment, (self.0.now)());
        let ended = known.channel.stays_open().then(|| Notice {
            phase: Phase::Closed,
            ..sample.clone()
        });
        // To all at once: those that do not answer take the time of one.
        let mut sending = JoinSet::new();
        for (at, address) in (0..).zip(addresses(&settings, known)) {
            let of = |notice: &Notice| Job::of_test(at, receiver, address.clone(), notice);
            let (job, end) = (of(&sample), ended.as_ref().map(of));
            let (teller, settings) = (self.clone(), Arc::clone(&settings));
            sending.spawn(async move {
                let (at, mut answer) = teller.send(&settings, &job).await;
                if let (Some(end), Outcome::Sent) = (end, &answer.outcome) {
                    let (_, ended) = teller.send(&settings, &end).await;
                    if ended.outcome != Outcome::Sent {
                        let said = format!("it was opened, and is not ended: {}", ended.said);
                        answer = Answer { said, ..ended };
                    }
                }
                (at, (job.address, answer))
            });
        }
        let mut answers = BTreeMap::new();
        while let Some(done) = sending.join_next().await {
            answers.extend(done); // none where sending ended badly
        }
        Some(answers.into_values().collect())
    }

    /// Whether a link to stop mails was made here.
    pub fn may_stop(&self, receiver: &str, address: &str, signature: &str) -> bool {
        stop::is_ours(&self.0.key, receiver, address, signature)
    }

    /// Sends no more mails to an address. Blocks on the disk.
    pub fn stop(&self, receiver: &str, address: &str) -> Result<(), SetError> {
        let mut state = self.state();
        let settings = state.settings.without(receiver, address);
        self.put(&mut state, settings)?;
        Ok(())
    }

    /// How it does.
    pub fn health(&self) -> TellerHealth {
        let state = self.state();
        let (waiting, held) = state.outbox.waiting();
        TellerHealth {
            counters: state.outbox.counters().clone(),
            waiting,
            held,
            save_failures: self.0.save_failures.load(Ordering::Relaxed),
        }
    }

    /// Sends what is due until the server stops.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = self.0.wake.notified() => {}
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
            // What is under way when the server stops is sent again after the next start.
            tokio::select! {
                () = self.deliver() => {}
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
        }
        self.save().await;
    }

    /// Sends what is due, to all at once, until nothing is.
    async fn deliver(&self) {
        loop {
            let now = (self.0.now)();
            let (jobs, settings) = {
                let mut state = self.state();
                let settings = Arc::clone(&state.settings);
                (state.outbox.due(&settings, now), settings)
            };
            // What is told is on disk before it is: a crash tells it once more, and not never.
            self.save().await;
            if jobs.is_empty() {
                return;
            }
            let mut sending = JoinSet::new();
            for job in jobs {
                let (teller, settings) = (self.clone(), Arc::clone(&settings));
                sending.spawn(async move { teller.send(&settings, &job).await });
            }
            let mut ended_badly = false;
            while let Some(done) = sending.join_next().await {
                match done {
                    Ok((id, answer)) => {
                        let now = (self.0.now)();
                        self.state().outbox.done(id, &answer.outcome, now);
                    }
                    Err(_) => ended_badly = true,
                }
            }
            if ended_badly {
                // It is still due, and is tried again with the next look.
                return;
            }
        }
    }

    async fn send(&self, settings: &Settings, job: &Job) -> (u64, Answer) {
        let Some(receiver) = settings.receiver(&job.receiver) else {
            return (job.id, Answer::refused("the receiver is gone".to_owned()));
        };
        let now = (self.0.now)();
        let frame = self.frame(settings, receiver, job.address.as_deref(), &job.why, now);
        let content = self.with_choices(settings, receiver, job).await;
        (job.id, self.0.sender.send(&content, &frame).await)
    }

    /// What a message says, with links at which its reader can choose; without them where they take too long.
    async fn with_choices<'a>(
        &self,
        settings: &Settings,
        receiver: &Receiver,
        job: &'a Job,
    ) -> Cow<'a, Content> {
        let asked = choices::asked(&job.content, receiver, job.address.as_deref());
        let made = match asked {
            Some((notice, to)) => {
                let choosing = self.0.choices.choices(notice, to);
                let made = tokio::time::timeout(choices::PATIENCE, choosing).await;
                made.unwrap_or_default()
            }
            None => Vec::new(),
        };
        match made.is_empty() {
            true => Cow::Borrowed(&job.content),
            false => Cow::Owned(choices::with(&job.content, made, settings.base())),
        }
    }

    fn frame<'a>(
        &'a self,
        settings: &'a Settings,
        receiver: &'a Receiver,
        address: Option<&'a str>,
        why: &'a str,
        now: UnixNanos,
    ) -> Frame<'a> {
        Frame {
            settings,
            receiver,
            address,
            why,
            key: &self.0.key,
            variables: &self.0.variables,
            now,
        }
    }

    fn put(&self, state: &mut State, settings: Settings) -> Result<(), KeepError> {
        self.0.keep.save_settings(&settings)?;
        let also_muted = state.settings.also_muted().to_vec();
        let settings = settings
            .reached_at(self.0.otherwise.clone())
            .muting(also_muted);
        state.outbox.settle(&settings);
        state.settings = Arc::new(settings);
        state.version += 1;
        self.0.wake.notify_one();
        Ok(())
    }

    /// Writes what waits, if that is another than what is on disk.
    async fn save(&self) {
        let outbox = {
            let state = self.state();
            if state.outbox == state.saved {
                return;
            }
            state.outbox.clone()
        };
        let teller = self.clone();
        let saving = tokio::task::spawn_blocking(move || {
            let Shared { keep, key, .. } = &*teller.0;
            match keep.save_outbox(&outbox, key) {
                Ok(()) => teller.state().saved = outbox,
                // Telling goes on: that somebody may be told twice is the lesser evil.
                Err(_) => {
                    teller.0.save_failures.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let _ = saving.await; // it does not panic, and is tried again in a moment
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teller")
    }
}

/// How often it is looked whether something is due that nobody has said.
const LOOK_EVERY: Duration = Duration::from_secs(2);
