//! Where to listen, where to keep data, and how much of everything.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use throughline_store::Retention;
use throughline_telemetry::UnixNanos;

use crate::access::ApiKey;
use crate::actions::Actuation;
use crate::codes;

/// The default address of OTLP/gRPC: the port that every SDK assumes.
pub const DEFAULT_OTLP_GRPC: SocketAddr = loopback(4317);
/// The default address of OTLP/HTTP: the port that every SDK assumes.
pub const DEFAULT_OTLP_HTTP: SocketAddr = loopback(4318);
/// The default address of the API and the page.
pub const DEFAULT_HTTP: SocketAddr = loopback(4300);

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    data_dir: PathBuf,
    listen: Listen,
    key: Option<ApiKey>,
    limits: Limits,
    retention: Retention,
    clock: Clock,
    actuation: Actuation,
}

/// What time it is, for what happens by itself: which minutes are over.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> UnixNanos + Send + Sync>);

impl Clock {
    /// A clock that shows what is asked for; for tests, and to replay what was.
    pub fn new(now: impl Fn() -> UnixNanos + Send + Sync + 'static) -> Self {
        Clock(Arc::new(now))
    }

    pub(crate) fn now(&self) -> UnixNanos {
        (self.0)()
    }
}

impl Default for Clock {
    /// That of the system.
    #[allow(clippy::disallowed_methods)] // the edge that asks the system
    fn default() -> Self {
        Clock::new(|| SystemTime::now().into())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The three addresses to listen on. Port 0 takes any free port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// OTLP/gRPC.
    pub otlp_grpc: SocketAddr,
    /// OTLP/HTTP.
    pub otlp_http: SocketAddr,
    /// The API and the page.
    pub http: SocketAddr,
}

/// How much of everything. The defaults suit a machine of two cores; tests make them small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body, decompressed. OTLP asks for 64 MiB.
    pub body_bytes_max: usize,
    /// The most that one body may take in memory once decoded. Eight times the largest body: spans
    /// as SDKs send them take three times.
    pub decoded_bytes_max: usize,
    /// All bodies together that have arrived but are not on disk yet. Four of the largest fit.
    pub in_flight_bytes_max: usize,
    /// The same bodies decoded, all together. Two of the heaviest fit, and all that fit on the wire
    /// if they are as SDKs send them.
    pub decoded_in_flight_bytes_max: usize,
    /// How long a connection may take to send the first bytes and then each request's headers;
    /// also how long an idle HTTP/1 connection is kept.
    pub headers_timeout: Duration,
    /// How long one body may take to arrive.
    pub body_timeout: Duration,
    /// Connections per listener. Lambda opens one per environment, so there can be many.
    pub connections_max: usize,
    /// API reads at once; they are CPU bound, and more would only slow each other down.
    pub reads_max: usize,
    /// How long an API read waits for its turn.
    pub read_wait: Duration,
    /// Clients at once that follow log records.
    pub tails_max: usize,
    /// What a query may take.
    pub queries: throughline_query::Limits,
    /// How long a stopping server waits for what is in flight.
    pub drain_timeout: Duration,
}

/// Why a configuration is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Telemetry holds what people typed and clicked: never open to a network without a key.
    #[error(
        "cannot listen on {address} for {what} without a key: set one with --api-key or \
         THROUGHLINE_API_KEY, or listen on 127.0.0.1 ({})",
        codes::NEEDS_KEY
    )]
    NeedsKey {
        /// What would listen there.
        what: &'static str,
        /// Where.
        address: SocketAddr,
    },
}

impl Config {
    /// Checks a configuration. An address beyond this machine needs a key.
    pub fn try_new(
        data_dir: PathBuf,
        listen: Listen,
        key: Option<ApiKey>,
    ) -> Result<Self, ConfigError> {
        let open = listen
            .named()
            .into_iter()
            .find(|(_, address)| !address.ip().is_loopback());
        if let (Some((what, address)), None) = (open, &key) {
            return Err(ConfigError::NeedsKey { what, address });
        }
        Ok(Config {
            data_dir,
            listen,
            key,
            limits: Limits::default(),
            retention: Retention::default(),
            clock: Clock::default(),
            actuation: Actuation::default(),
        })
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Config { limits, ..self }
    }

    /// The same with what is to be kept; everything, unless said.
    #[must_use]
    pub fn with_retention(self, retention: Retention) -> Self {
        Config { retention, ..self }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Config { clock, ..self }
    }

    /// The same with somebody who changes things in the account; nobody does unless said.
    #[must_use]
    pub fn with_actuation(self, actuation: Actuation) -> Self {
        Config { actuation, ..self }
    }

    pub(crate) fn actuation(&self) -> Actuation {
        self.actuation.clone()
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub(crate) fn retention(&self) -> Retention {
        self.retention
    }

    pub(crate) fn data_dir(&self) -> &PathBuf {
        &self.data_dir
    }

    pub(crate) fn listen(&self) -> Listen {
        self.listen
    }

    pub(crate) fn key(&self) -> Option<&ApiKey> {
        self.key.as_ref()
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }
}

impl Listen {
    /// Free ports of this machine, for tests.
    pub fn on_free_ports() -> Self {
        Listen {
            otlp_grpc: loopback(0),
            otlp_http: loopback(0),
            http: loopback(0),
        }
    }

    fn named(&self) -> [(&'static str, SocketAddr); 3] {
        [
            ("OTLP/gRPC", self.otlp_grpc),
            ("OTLP/HTTP", self.otlp_http),
            ("the API and the page", self.http),
        ]
    }
}

impl Default for Listen {
    fn default() -> Self {
        Listen {
            otlp_grpc: DEFAULT_OTLP_GRPC,
            otlp_http: DEFAULT_OTLP_HTTP,
            http: DEFAULT_HTTP,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_bytes_max: 64 << 20,
            decoded_bytes_max: 512 << 20,
            in_flight_bytes_max: 256 << 20,
            decoded_in_flight_bytes_max: 1 << 30,
            headers_timeout: Duration::from_secs(60), // longer than the pauses of a busy function
            body_timeout: Duration::from_secs(30),
            connections_max: 1024,
            reads_max: 4,
            read_wait: Duration::from_secs(5),
            tails_max: 32,
            queries: throughline_query::Limits::default(),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(http: &str, key: Option<&str>) -> Result<(), String> {
        let listen = Listen {
            http: http.parse().unwrap(),
            ..Listen::default()
        };
        let key = key.map(|key| key.parse().unwrap());
        let config = Config::try_new("data".into(), listen, key);
        config.map(|_| ()).map_err(|error| error.to_string())
    }

    #[test]
    fn beyond_this_machine_only_with_a_key() {
        assert_eq!(check("127.0.0.1:4300", None), Ok(()));
        assert_eq!(check("[::1]:4300", None), Ok(()));
        assert_eq!(check("0.0.0.0:4300", Some("a-key")), Ok(()));
        let refused = check("0.0.0.0:4300", None).unwrap_err();
        assert_eq!(
            refused,
            "cannot listen on 0.0.0.0:4300 for the API and the page without a key: set one with \
             --api-key or THROUGHLINE_API_KEY, or listen on 127.0.0.1 (TL0002)"
        );
    }
}
