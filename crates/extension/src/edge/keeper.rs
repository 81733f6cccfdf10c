//! The key to the server, where it is kept by AWS under a name.
//!
//! It is looked up when the first batch leaves and not before: that is after the function's start,
//! and nobody but the batch waits for it. Where it cannot be had the batch stays in the queue.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, HOST};
use http_body_util::Full;
use throughline_extension::aws::cache::Cache;
use throughline_extension::aws::vault::Places;
use throughline_extension::aws::{Credentials, KeyName};
use throughline_extension::config::Source;
use tokio::sync::Mutex;

use super::client::{Answer, Broken, Client};
use super::environment::now;

/// Looks up one key.
pub(super) struct Keeper {
    name: KeyName,
    variables: Box<dyn Source + Send + Sync>,
    state: Mutex<State>,
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}

#[derive(Debug, Default)]
struct State {
    cache: Cache,
    credentials: Option<Credentials>,
}

impl Keeper {
    /// Whoever asks is known by these variables, once it is time to ask.
    pub(super) fn new(name: KeyName, variables: Box<dyn Source + Send + Sync>) -> Self {
        Keeper {
            name,
            variables,
            state: Mutex::default(),
        }
    }

    /// The key, from here or from where it lies. Whoever comes while somebody asks waits for the
    /// same answer.
    pub(super) async fn key(&self) -> Result<String, String> {
        let mut state = self.state.lock().await;
        if let Some(key) = state.cache.key() {
            return Ok(key.to_owned());
        }
        let no_key = |why: String| format!("no key: cannot look up {}: {why}", self.name);
        let pause = state.cache.pause(now());
        if !pause.is_zero() {
            return Err(no_key(format!("tried again in {} s", pause.as_secs() + 1)));
        }
        state.cache.asks(now());
        let asked = tokio::time::timeout(LOOK_UP_MAX, self.ask(&mut state.credentials)).await;
        let asked = asked.unwrap_or_else(|_| Err(format!("no answer within {LOOK_UP_MAX:?}")));
        let key = asked.map_err(no_key)?;
        state.cache.found(key.clone());
        Ok(key)
    }

    /// The server took it.
    pub(super) async fn was_of_use(&self) {
        self.state.lock().await.cache.was_of_use();
    }

    /// The server refused it, so it may have been changed.
    pub(super) async fn refused(&self, key: &str) {
        self.state.lock().await.cache.refused(key);
    }

    /// After a restore neither key nor credentials are what they were.
    pub(super) async fn renew(&self) {
        let mut state = self.state.lock().await;
        state.cache.renew();
        state.credentials = None;
    }

    async fn ask(&self, known: &mut Option<Credentials>) -> Result<String, String> {
        let credentials = match known.take().filter(|known| known.are_fresh(now())) {
            Some(credentials) => credentials,
            None => self.credentials().await?,
        };
        let question = self.name.question(&self.places(), &credentials, now());
        *known = Some(credentials);
        let mut request = Request::post("/").header(HOST, question.host);
        for (name, value) in question.headers {
            request = request.header(name, value);
        }
        let answer = send(&question.base, request, question.body).await?;
        let key = self.name.answer(answer.status.as_u16(), &answer.body);
        key.map_err(|error| error.to_string())
    }

    /// Where the services are, as AWS's own clients are told.
    fn places(&self) -> Places {
        let elsewhere = |name: &str| self.set(name).or_else(|| self.set("AWS_ENDPOINT_URL"));
        Places {
            region: self.set("AWS_REGION").unwrap_or_default(),
            secrets_manager: elsewhere("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
            ssm: elsewhere("AWS_ENDPOINT_URL_SSM"),
        }
    }

    /// Those of the variables, else, under SnapStart, those that the endpoint has which they name.
    async fn credentials(&self) -> Result<Credentials, String> {
        let id = self.set("AWS_ACCESS_KEY_ID");
        if let (Some(id), Some(secret)) = (id, self.set("AWS_SECRET_ACCESS_KEY")) {
            let token = self.set("AWS_SESSION_TOKEN");
            return Ok(Credentials::new(&id, &secret, token.as_deref()));
        }
        let Some(url) = self.set("AWS_CONTAINER_CREDENTIALS_FULL_URI") else {
            return Err("there are no AWS credentials".to_owned());
        };
        let place = url
            .split_once("://")
            .map_or(url.as_str(), |(_, place)| place);
        let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        let path = if path.is_empty() { "/" } else { path };
        let mut request = Request::get(path).header(HOST, host);
        if let Some(token) = self.set("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
            request = request.header(AUTHORIZATION, token);
        }
        let answer = send(&url, request, String::new()).await?;
        let credentials = Credentials::from_endpoint(&answer.body);
        credentials.ok_or_else(|| format!("the credentials endpoint answered {}", answer.status))
    }

    fn set(&self, name: &str) -> Option<String> {
        let value = self.variables.value(name);
        value.filter(|value| !value.is_empty())
    }
}

/// Over a connection of its own: questions are hours apart.
async fn send(base: &str, request: http::request::Builder, body: String) -> Result<Answer, String> {
    let base = base.parse().map_err(|error| format!("{base}: {error}"))?;
    let request = request.body(Full::new(Bytes::from(body)));
    let request = request.map_err(|error| error.to_string())?;
    let answer = Client::new(&base).send(request).await;
    answer.map_err(|(Broken::NoConnection(why) | Broken::Connection(why))| why)
}

/// For the credentials and the key together; less than a request to the server may take.
const LOOK_UP_MAX: Duration = Duration::from_secs(3);

#[cfg(test)]
pub(super) mod tests;
