//! Objectives and alerts that somebody has set: asked of what is stored again and again, and told as incidents are.
//!
//! Once a minute what was good and bad in the minutes that are complete is added to the [series](throughline_insight::slo)
//! of each objective, and each alert whose turn it is [asks](ask) its query. One question at a time, on the threads of
//! queries and within their limits of time and memory; none takes the turn of somebody who waits.
//!
//! What was set is in `alerts.json` in the data directory, the queries that were saved under a name and that an alert may
//! follow in `saved.json`, what is known in `alerts.state`. The state is written every
//! ten minutes, when something begins or ends to be told, and when the server stops. Minutes after that are counted
//! again, so a crash loses nothing; whom was told what the [outbox](throughline_notify) knows.

mod ask;
mod check;
mod kept;
mod notice;
mod saved;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use throughline_insight::detect::Severity;
use throughline_insight::graph::Mistake;
use throughline_notify::keep::{load, save, save_packed, set_aside};
use throughline_notify::settings::Problems;
use throughline_notify::{KeepError, Phase, Teller};
use throughline_query::{Engine, QueryError};
use throughline_store::{ReadError, SearchError, Store};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::detection::{Detection, Names};
pub(crate) use kept::Kept;
use notice::Told;
pub(crate) use saved::{RawSaved, SavedQueries};
pub(crate) use settings::{RawSettings, Settings};

/// Watches objectives and alerts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Alerts(Arc<Shared>);

struct Shared {
    store: Store,
    engine: Arc<Engine>,
    detection: Detection,
    teller: Teller,
    settings_path: PathBuf,
    saved_path: PathBuf,
    state_path: PathBuf,
    settings: Mutex<Arc<Settings>>,
    kept: Mutex<Kept>,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    questions: AtomicU64,
    failures: AtomicU64,
    save_failures: AtomicU64,
}

/// What was last told of something: by what it is about, how grave it was.
type Seen = BTreeMap<String, Severity>;

/// How alerts do.
#[derive(Clone, Debug, Default)]
pub(crate) struct AlertsHealth {
    /// Questions that were asked of the store since the start.
    pub(crate) questions: u64,
    /// Those that had no answer.
    pub(crate) failures: u64,
    /// Times that the state could not be written.
    pub(crate) save_failures: u64,
    /// Objectives and alerts of which somebody should know now.
    pub(crate) firing: usize,
    /// Of each objective its name, what is left of its budget, and the burn of the last hour.
    pub(crate) objectives: Vec<(String, f64, Option<f64>)>,
}

/// Why other settings were not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetError {
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

/// Why a question had no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// The query failed, or took too long.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// What is stored could not be looked through.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A trace could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is no question to the graph.
    #[error(transparent)]
    Graph(#[from] Mistake),
    /// The saved query that it follows is gone, or no longer one to watch.
    #[error("it cannot follow its saved query: {0}")]
    NotFollowed(String),
    /// Reports could not be read in time.
    #[error("what changed cannot be read in time")]
    ChangesNotKnown,
    /// There is an answer, but no number in it.
    #[error("the last column of an alert's answer is its number: {0}")]
    NoNumber(String),
}

impl Alerts {
    /// Goes on where the last run was. What cannot be read is set aside and said. Blocks on the disk.
    pub(crate) fn open(
        data_dir: &Path,
        store: Store,
        engine: Arc<Engine>,
        detection: Detection,
        teller: Teller,
    ) -> Self {
        let settings_path = data_dir.join("alerts.json");
        let saved_path = data_dir.join("saved.json");
        let state_path = data_dir.join("alerts.state");
        let now = detection.now();
        let mut say = |error: KeepError| tracing::error!("{error}");
        let raw: RawSaved = load(&saved_path, &mut say).unwrap_or_default();
        let saved = SavedQueries::try_new(raw, now).unwrap_or_else(|problems| {
            set_aside(&saved_path);
            let path = saved_path.clone();
            say(KeepError::Problems { path, problems });
            SavedQueries::default()
        });
        let saved = Arc::new(saved);
        let raw: RawSettings = load(&settings_path, &mut say).unwrap_or_default();
        let settings = Settings::reopened(raw, Arc::clone(&saved), now);
        let settings = settings.unwrap_or_else(|problems| {
            set_aside(&settings_path);
            let path = settings_path.clone();
            say(KeepError::Problems { path, problems });
            Settings::none(saved)
        });
        let mut kept: Kept = load(&state_path, &mut say).unwrap_or_default();
        kept.settle(&settings);
        Alerts(Arc::new(Shared {
            store,
            engine,
            detection,
            teller,
            settings_path,
            saved_path,
            state_path,
            settings: Mutex::new(Arc::new(settings)),
            kept: Mutex::new(kept),
            counters: Counters::default(),
        }))
    }

    /// What was set.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.lock())
    }

    /// Takes other settings. What is no longer set and somebody was told of has ended. Blocks on the disk.
    pub(crate) fn set(&self, raw: RawSettings) -> Result<(), SetError> {
        let now = self.0.detection.now();
        // One after the other, so that what is on disk is what holds.
        let mut known = self.lock();
        let settings = Settings::try_new(raw, Arc::clone(known.saved()), now)?;
        save(&self.0.settings_path, settings.raw())?;
        let before = std::mem::replace(&mut *known, Arc::new(settings));
        let after = Arc::clone(&known);
        drop(known);
        for told in notice::gone(before.raw(), after.raw()) {
            if self.0.teller.is_open(&told.about()) {
                self.tell(&told, Phase::Closed);
            }
        }
        self.kept().settle(&after);
        Ok(())
    }

    /// Takes other saved queries, which the alerts that follow them ask from now on; if an [edition](SavedQueries::edition)
    /// is named, only in its place. Blocks on the disk.
    pub(crate) fn set_saved(&self, raw: RawSaved, edition: Option<&str>) -> Result<(), SetError> {
        let now = self.0.detection.now();
        let saved = Arc::new(SavedQueries::try_new(raw, now)?);
        let mut known = self.lock();
        if edition.is_some_and(|edition| edition != known.saved().edition()) {
            return Err(SetError::Changed);
        }
        let settings = known.following(saved, now)?;
        save(&self.0.saved_path, settings.saved().raw())?;
        *known = Arc::new(settings);
        let after = Arc::clone(&known);
        drop(known);
        self.kept().settle(&after);
        Ok(())
    }

    /// Looks at what is known of objectives and alerts.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Settings, &Kept) -> T) -> T {
        let settings = self.settings();
        look(&settings, &self.kept())
    }

    pub(crate) fn health(&self) -> AlertsHealth {
        let counters = &self.0.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let names = self.0.detection.services();
        self.with(|settings, kept| {
            let objectives = settings.objectives().iter();
            let objectives = objectives.filter_map(|objective| {
                let standing = kept.objective(&objective.name)?.standing(objective)?;
                Some((objective.name.clone(), standing.left, standing.burn))
            });
            AlertsHealth {
                questions: read(&counters.questions),
                failures: read(&counters.failures),
                save_failures: read(&counters.save_failures),
                firing: told(settings, kept, &names).filter(Told::is_firing).count(),
                objectives: objectives.collect(),
            }
        })
    }

    /// Watches until the server stops; then writes down what is known.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = Seen::new();
        let mut version = 0;
        loop {
            let look = async {
                looks.tick().await;
                self.count_minutes().await;
                self.ask_queries().await;
                let before = std::mem::replace(&mut version, self.0.teller.version());
                if before != version {
                    // Whoever can be told from now on hears of what goes on.
                    seen.clear();
                }
                self.tell_news(&mut seen).await;
            };
            tokio::select! {
                () = look => {}
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
        }
        self.save().await;
    }

    /// Counts what was good and bad in minutes that are complete, of each objective some of them.
    async fn count_minutes(&self) {
        for objective in self.settings().objectives() {
            let due = objective.measure.complete(self.0.detection.now());
            for _ in 0..QUESTIONS_AT_ONCE {
                let Some(minutes) = self.kept().next_minutes(objective, due) else {
                    break;
                };
                let counted = ask::counts(&self.0.engine, &self.0.store, objective, minutes).await;
                self.note(&counted, &objective.name);
                self.kept().count(objective, counted, due);
            }
        }
    }

    /// Asks the queries of those alerts whose turn it is.
    async fn ask_queries(&self) {
        let complete = self.0.detection.complete();
        let settings = self.settings();
        for alert in settings.alerts() {
            if !self.kept().is_due(alert, complete) {
                continue;
            }
            let Shared {
                engine,
                store,
                detection,
                ..
            } = &*self.0;
            let found = match settings.unfollowed(&alert.name) {
                Some(why) => Err(AskError::NotFollowed(why.to_owned())),
                None => ask::number(engine, store, detection, alert, complete).await,
            };
            self.note(&found, &alert.name);
            self.kept().answer(alert, found, complete);
        }
    }

    fn note<T>(&self, answer: &Result<T, AskError>, name: &str) {
        let counters = &self.0.counters;
        counters.questions.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = answer {
            counters.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%error, name, "what is watched could not be asked; it is asked again");
        }
    }

    /// Tells what has begun, what is graver, and what has ended.
    async fn tell_news(&self, seen: &mut Seen) {
        let names = self.0.detection.services();
        let told: Vec<Told> = self.with(|settings, kept| told(settings, kept, &names).collect());
        // What is set once more, or otherwise, is told anew.
        let known: BTreeSet<String> = told.iter().map(Told::about).collect();
        seen.retain(|about, _| known.contains(about));
        let mut news = Vec::new();
        for told in told {
            let about = told.about();
            let before = match told.firing {
                Some((severity, _)) => seen.insert(about.clone(), severity),
                None => seen.remove(&about),
            };
            match told.firing.map(|(severity, _)| severity) {
                severity @ Some(_) if severity != before => news.push((told, Phase::Opened)),
                None if self.0.teller.is_open(&about) => news.push((told, Phase::Closed)),
                _ => {}
            }
        }
        if !news.is_empty() || self.kept().is_old(self.0.detection.now()) {
            self.save().await;
        }
        for (told, phase) in news {
            self.tell(&told, phase);
        }
    }

    fn tell(&self, told: &Told, phase: Phase) {
        let settings = self.0.teller.settings();
        let notice = told.notice(phase, &settings, self.0.detection.now());
        self.0.teller.tell(&notice);
    }

    /// Writes down what is known.
    async fn save(&self) {
        let alerts = self.clone();
        let saving = tokio::task::spawn_blocking(move || {
            let now = alerts.0.detection.now();
            let kept = alerts.kept().saved(now);
            // Watching goes on: that minutes are counted once more after a crash is the lesser evil.
            if let Err(error) = save_packed(&alerts.0.state_path, &kept) {
                alerts
                    .0
                    .counters
                    .save_failures
                    .fetch_add(1, Ordering::Relaxed);
                tracing::error!("{error}");
            }
        });
        if let Err(error) = saving.await {
            tracing::error!(%error, "writing down what is known of alerts ended badly");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Settings>> {
        let settings = self.0.settings.lock();
        settings.unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What there is to tell of each objective and alert of which something is known. Whoever asks detection for names does so
/// before, so that no lock is held that waits for another.
fn told<'a>(
    settings: &'a Settings,
    kept: &'a Kept,
    names: &'a Names,
) -> impl Iterator<Item = Told> + use<'a> {
    let objectives = settings.objectives().iter();
    let objectives =
        objectives.filter_map(move |it| Told::of_objective(it, kept.objective(&it.name)?, names));
    let alerts = settings.alerts().iter();
    let alerts = alerts.filter_map(move |it| Told::of_alert(it, kept.alert(&it.name)?, names));
    objectives.chain(alerts)
}

const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Questions of one objective before it is another's turn.
const QUESTIONS_AT_ONCE: usize = 4;
