//! The parts put together, started and stopped.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use throughline_query::Engine;
use throughline_store::{OpenError, Options, Recovery, SealError, Store};
use tokio::sync::watch;

use crate::access::Access;
use crate::actions::Actions;
use crate::advising::Advising;
use crate::alerts::Alerts;
use crate::api::{self, Queries, Watch};
use crate::codes::{self, Code};
use crate::config::{Config, Limits};
use crate::detection::Detection;
use crate::ingest::{self, Budget, Intake, Refusals};
use crate::listen::Listener;
use crate::telling::Telling;
use crate::verifying::Verifying;

/// A server whose sockets are bound and whose store is open, but that serves nothing yet.
pub struct Server {
    listeners: Listeners,
    routers: Routers,
    store: Store,
    detection: Detection,
    actions: Actions,
    telling: Telling,
    alerts: Alerts,
    verifying: Verifying,
    advising: Advising,
    recovery: Recovery,
    limits: Limits,
    /// Told once that the server stops.
    stop: watch::Sender<bool>,
}

/// Where a server listens, with the ports it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Addresses {
    /// OTLP/gRPC.
    pub otlp_grpc: SocketAddr,
    /// OTLP/HTTP.
    pub otlp_http: SocketAddr,
    /// The API and the page.
    pub http: SocketAddr,
}

/// Why a server cannot start. The operator can act on each.
///
/// Each message is whole, so none of them has a source: a caller that prints the chain would say
/// the same thing twice.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be bound.
    #[error("cannot listen on {address} for {what}: {} ({})", plainly(error), self.code())]
    Listen {
        /// What would listen there.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The threads of queries cannot be started.
    #[error("cannot start the threads that answer queries: {error} ({})", self.code())]
    Threads {
        /// What the system says.
        error: io::Error,
    },
    /// The record of actions cannot be opened.
    #[error("cannot open the record of actions: {error} ({})", self.code())]
    Actions {
        /// What the system says.
        error: io::Error,
    },
    /// The data directory cannot be opened.
    #[error("{error} ({})", self.code())]
    Store {
        /// What is wrong with it.
        error: OpenError,
    },
}

/// Why a server did not stop cleanly.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// The store did not close. What was acknowledged is in its WAL.
    #[error("cannot close the store: {error} ({})", codes::CANNOT_CLOSE_STORE)]
    Store {
        /// What failed.
        error: SealError,
    },
}

struct Listeners {
    otlp_grpc: Listener,
    otlp_http: Listener,
    http: Listener,
}

struct Routers {
    otlp_grpc: Router,
    otlp_http: Router,
    http: Router,
}

impl Server {
    /// Binds the three addresses, then opens the store, which replays what the last run left.
    ///
    /// Whoever connects from now on waits until [`Server::run`].
    pub async fn bind(config: Config) -> Result<Server, StartError> {
        let listeners = Listeners::bind(&config).await?;
        let mut options = Options::new(config.data_dir());
        options.retention = config.retention();
        let opened = open(options).await;
        let (store, recovery) = opened.map_err(|error| StartError::Store { error })?;
        tell(&recovery);
        let engine = Engine::start(query_threads(), config.limits().queries);
        let engine = Arc::new(engine.map_err(|error| StartError::Threads { error })?);
        let stop = watch::Sender::new(false);
        let detection = remember(&config, &store, &engine).await;
        let actions = actions(&config, &detection).await?;
        // It follows nothing, so it needs no turn to.
        let queries = Queries::new(store.clone(), Arc::clone(&engine), 0, stop.subscribe());
        let address = listeners.http.address();
        let telling = reopen(&config, address, &detection, &actions, &queries).await;
        let alerts = alerts(&config, &store, &engine, (&detection, &telling)).await;
        let teller = telling.teller().clone();
        let verifying = Verifying {
            actions: actions.clone(),
            queries: queries.clone(),
            teller: teller.clone(),
        };
        let advising = Advising {
            actions: actions.clone(),
            detection: detection.clone(),
            queries,
            teller,
        };
        let watched = (&detection, &actions, &telling, &alerts);
        let routers = wire(&config, &listeners, &store, engine, watched, &stop);
        Ok(Server {
            listeners,
            routers,
            store,
            detection,
            actions,
            telling,
            alerts,
            verifying,
            advising,
            recovery,
            limits: config.limits(),
            stop,
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        Addresses {
            otlp_grpc: self.listeners.otlp_grpc.address(),
            otlp_http: self.listeners.otlp_http.address(),
            http: self.listeners.http.address(),
        }
    }

    /// What opening the store found of earlier runs.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Serves until `shutdown` resolves; then accepts nothing more, finishes what is in flight and
    /// closes the store.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), StopError> {
        let (stop, stopped) = (self.stop.clone(), self.stop.subscribe());
        let (listeners, routers) = (self.listeners, self.routers);
        let serve = |listener: Listener, router| {
            tokio::spawn(listener.serve(router, self.limits, stopped.clone()))
        };
        let serving = [
            serve(listeners.otlp_grpc, routers.otlp_grpc),
            serve(listeners.otlp_http, routers.otlp_http),
            serve(listeners.http, routers.http),
        ];
        let detecting = tokio::spawn(self.detection.run(stopped.clone()));
        let acting = tokio::spawn(self.actions.run(stopped.clone()));
        let telling = tokio::spawn(self.telling.run(stopped.clone()));
        let alerting = tokio::spawn(self.alerts.run(stopped.clone()));
        let verifying = tokio::spawn(self.verifying.run(stopped.clone()));
        let advising = tokio::spawn(self.advising.run(stopped.clone()));
        shutdown.await;
        tracing::info!("stopping");
        stop.send_replace(true);
        for listener in serving {
            if let Err(error) = listener.await {
                tracing::error!(%error, "a listener ended badly");
            }
        }
        if let Err(error) = detecting.await {
            tracing::error!(%error, "detection ended badly");
        }
        if let Err(error) = acting.await {
            tracing::error!(%error, "undoing what has reached its end ended badly");
        }
        if let Err(error) = telling.await {
            tracing::error!(%error, "telling ended badly");
        }
        if let Err(error) = alerting.await {
            tracing::error!(%error, "watching objectives and alerts ended badly");
        }
        if let Err(error) = verifying.await {
            tracing::error!(%error, "verifying what came of other memory sizes ended badly");
        }
        if let Err(error) = advising.await {
            tracing::error!(%error, "advising ended badly");
        }
        let closed = self.store.close().await;
        closed.map_err(|error| StopError::Store { error })?;
        tracing::info!("stopped");
        Ok(())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = self.addresses();
        f.debug_struct("Server")
            .field("addresses", &addresses)
            .finish_non_exhaustive()
    }
}

/// All parts in the order in which they depend on each other. Starts nothing.
fn wire(
    config: &Config,
    listeners: &Listeners,
    store: &Store,
    engine: Arc<Engine>,
    (detection, actions, telling, alerts): (&Detection, &Actions, &Telling, &Alerts),
    stop: &watch::Sender<bool>,
) -> Routers {
    let limits = config.limits();
    let budget = Budget::new(limits.in_flight_bytes_max);
    let decoded = Budget::new(limits.decoded_in_flight_bytes_max);
    let refusals = Arc::new(Refusals::default());
    let health = Watch::new(
        store.clone(),
        Arc::clone(&engine),
        Arc::clone(&refusals),
        (detection.clone(), actions.clone()),
        (telling.clone(), alerts.clone()),
        config.data_dir().clone(),
    );
    let access = |listener: &Listener| Access::new(config.key().cloned(), listener.address().ip());
    let intake = |listener| {
        let (budget, decoded) = (budget.clone(), decoded.clone());
        let refusals = Arc::clone(&refusals);
        Intake::new(
            store.clone(),
            access(listener),
            limits,
            budget,
            decoded,
            refusals,
        )
    };
    Routers {
        otlp_grpc: ingest::grpc_router(intake(&listeners.otlp_grpc)),
        otlp_http: ingest::http_router(intake(&listeners.otlp_http)),
        http: api::router(
            store.clone(),
            engine,
            health,
            access(&listeners.http),
            limits,
            intake(&listeners.http),
            stop.subscribe(),
        ),
    }
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Self, StartError> {
        let listen = config.listen();
        Ok(Listeners {
            otlp_grpc: bind("OTLP/gRPC", listen.otlp_grpc).await?,
            otlp_http: bind("OTLP/HTTP", listen.otlp_http).await?,
            http: bind("the API and the page", listen.http).await?,
        })
    }
}

async fn bind(what: &'static str, address: SocketAddr) -> Result<Listener, StartError> {
    let bound = Listener::bind(what, address).await;
    bound.map_err(|error| StartError::Listen {
        what,
        address,
        error,
    })
}

/// One query may use the whole machine: the kernel gives everything else what it needs before.
fn query_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Replay reads files for as long as it takes, so it stays off the async threads.
async fn open(options: Options) -> Result<(Store, Recovery), OpenError> {
    let opening = tokio::task::spawn_blocking(move || Store::open(options));
    match opening.await {
        Ok(opened) => opened,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

/// What detection knew when the last run ended, which takes reading a file.
async fn remember(config: &Config, store: &Store, engine: &Arc<Engine>) -> Detection {
    let (store, engine) = (store.clone(), Arc::clone(engine));
    let (data_dir, clock) = (config.data_dir().clone(), config.clock());
    let opening =
        tokio::task::spawn_blocking(move || Detection::open(store, engine, &data_dir, clock));
    match opening.await {
        Ok(detection) => detection,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

/// What was proposed and done in earlier runs, which takes reading a file.
async fn actions(config: &Config, detection: &Detection) -> Result<Actions, StartError> {
    let (data_dir, actuation) = (config.data_dir().clone(), config.actuation());
    let (detection, clock) = (detection.clone(), config.clock());
    let opening =
        tokio::task::spawn_blocking(move || Actions::open(&data_dir, actuation, detection, clock));
    match opening.await {
        Ok(opened) => opened.map_err(|error| StartError::Actions { error }),
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

/// What was told when the last run ended, which takes reading files.
async fn reopen(
    config: &Config,
    address: SocketAddr,
    detection: &Detection,
    actions: &Actions,
    queries: &Queries,
) -> Telling {
    let (config, detection, actions) = (config.clone(), detection.clone(), actions.clone());
    let queries = queries.clone();
    let opening = tokio::task::spawn_blocking(move || {
        Telling::open(&config, address, detection, actions, queries)
    });
    match opening.await {
        Ok(telling) => telling,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

/// What was known of objectives and alerts when the last run ended, which takes reading files.
async fn alerts(
    config: &Config,
    store: &Store,
    engine: &Arc<Engine>,
    (detection, telling): (&Detection, &Telling),
) -> Alerts {
    let data_dir = config.data_dir().clone();
    let (store, engine) = (store.clone(), Arc::clone(engine));
    let (detection, teller) = (detection.clone(), telling.teller().clone());
    let opening = tokio::task::spawn_blocking(move || {
        Alerts::open(&data_dir, store, engine, detection, teller)
    });
    match opening.await {
        Ok(alerts) => alerts,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

impl StartError {
    /// The code of the page that helps.
    pub fn code(&self) -> Code {
        match self {
            StartError::Listen { error, .. } if error.kind() == io::ErrorKind::AddrInUse => {
                codes::PORT_TAKEN
            }
            StartError::Listen { .. } => codes::CANNOT_LISTEN,
            StartError::Threads { .. } => codes::CANNOT_START_THREADS,
            StartError::Actions { .. } => codes::CANNOT_OPEN_ACTIONS,
            StartError::Store { .. } => codes::CANNOT_OPEN_STORE,
        }
    }
}

/// What was lost or repaired must be seen by whoever starts the server.
fn tell(recovery: &Recovery) {
    let (frames, skipped_bytes) = (recovery.frames, recovery.skipped_bytes);
    if frames > 0 || skipped_bytes > 0 {
        tracing::info!(frames, skipped_bytes, "replayed the write-ahead log");
    }
    for note in &recovery.damaged {
        tracing::error!("{note}");
    }
    for note in &recovery.notes {
        tracing::warn!("{note}");
    }
}

fn plainly(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there".to_owned(),
        _ => error.to_string(),
    }
}
