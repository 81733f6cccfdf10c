//! What is said about the server: where it is, how it is reached, and with which key.

use std::time::Duration;

use super::{
    API_KEY, API_KEY_PARAMETER, API_KEY_SECRET, COMPRESSION, ENDPOINT, Endpoint, HEADERS,
    OTLP_GRPC_LISTEN, OTLP_LISTEN, Problem, RawConfig, TIMEOUT, Target, endpoint, without_user,
};
use crate::aws::KeyName;
use crate::outbox::Packing;

impl RawConfig {
    pub(super) fn target(&self, problems: &mut Vec<Problem>) -> Target {
        let base = self.text(ENDPOINT);
        let api_key = self
            .values
            .get(API_KEY.name)
            .map(|(value, _)| value.clone());
        let off = |why: &str| {
            Target::Off(Problem(format!(
                "cannot use {} {}: {why}; nothing is sent",
                self.name_in_use(ENDPOINT),
                without_user(&base)
            )))
        };
        match Endpoint::try_new(&base, api_key) {
            Ok(endpoint)
                if endpoint.is_at(&self.text(OTLP_LISTEN))
                    || endpoint.is_at(&self.text(OTLP_GRPC_LISTEN)) =>
            {
                off("the extension itself listens there")
            }
            Ok(endpoint) => {
                let (headers, wrong) = endpoint::headers(&self.text(HEADERS));
                let name = self.name_in_use(HEADERS);
                let wrong = wrong
                    .into_iter()
                    .map(|why| Problem(format!("{name}: {why}; it is left out")));
                problems.extend(wrong);
                Target::To(endpoint.with_headers(headers))
            }
            Err(why) => off(&why),
        }
    }

    /// The key itself before its names, and the secret before the parameter.
    pub(super) fn key_name(&self, problems: &mut Vec<Problem>) -> Option<KeyName> {
        let keys = [API_KEY, API_KEY_SECRET, API_KEY_PARAMETER];
        let mut set = keys
            .into_iter()
            .filter(|key| self.values.contains_key(key.name));
        let first = set.next()?;
        for other in set {
            let text = format!("{} is not looked at: {} is set", other.name, first.name);
            problems.push(Problem(text));
        }
        match first.name {
            name if name == API_KEY_SECRET.name => Some(KeyName::Secret(self.text(first))),
            name if name == API_KEY_PARAMETER.name => Some(KeyName::Parameter(self.text(first))),
            _ => None,
        }
    }

    pub(super) fn packing(&self, problems: &mut Vec<Problem>) -> Packing {
        match self.text(COMPRESSION).as_str() {
            "gzip" => Packing::Gzip,
            "none" => Packing::None,
            other => {
                let name = self.name_in_use(COMPRESSION);
                let text = format!("{name} {other} is neither gzip nor none; gzip is used");
                problems.push(Problem(text));
                Packing::Gzip
            }
        }
    }

    pub(super) fn request_timeout(&self, problems: &mut Vec<Problem>) -> Duration {
        let text = self.text(TIMEOUT);
        let millis = text.parse().map(Duration::from_millis);
        match millis {
            Ok(timeout) if (REQUEST_MIN..=REQUEST_MAX).contains(&timeout) => timeout,
            _ => {
                let name = self.name_in_use(TIMEOUT);
                let (min, max) = (REQUEST_MIN.as_millis(), REQUEST_MAX.as_millis());
                let text = format!(
                    "{name} {text} is no number of milliseconds from {min} to {max}; {} is used",
                    REQUEST_DEFAULT.as_millis()
                );
                problems.push(Problem(text));
                REQUEST_DEFAULT
            }
        }
    }
}

/// Longer than any healthy server takes; nobody waits for it but the batch.
const REQUEST_DEFAULT: Duration = Duration::from_secs(5);
const REQUEST_MIN: Duration = Duration::from_millis(100);
const REQUEST_MAX: Duration = Duration::from_secs(60);
