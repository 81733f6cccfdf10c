//! How a tool asks.

use form_urlencoded::Serializer;
use serde_json::Value;
use throughline_telemetry::UnixNanos;

use crate::{Api, Failure, Method, Question, time};

/// One call of a tool.
pub(crate) struct Ask<'a, A> {
    pub(crate) api: &'a A,
    pub(crate) now: UnixNanos,
}

impl<A: Api> Ask<'_, A> {
    pub(crate) async fn get(&self, path: &str, parameters: Parameters) -> Result<Value, Failure> {
        let path = with_query(path, parameters);
        let method = Method::Get;
        self.api.ask(Question { method, path }).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Value, Failure> {
        let path = path.to_owned();
        let method = Method::Post(body);
        self.api.ask(Question { method, path }).await
    }

    /// The moment that is meant, in nanoseconds.
    pub(crate) fn time(&self, text: Option<&str>) -> Result<Option<u64>, Failure> {
        let read = |text| time::moment(text, self.now).map(|it| it.0);
        text.map(read).transpose()
    }

    /// The same, or so many hours ago.
    pub(crate) fn since(&self, text: Option<&str>, hours: u64) -> Result<u64, Failure> {
        let ago = self.now.0.saturating_sub(hours * 3_600_000_000_000);
        Ok(self.time(text)?.unwrap_or(ago))
    }
}

/// Names and values behind a path; what is not said is left out.
#[derive(Default)]
pub(crate) struct Parameters(Vec<(&'static str, String)>);

impl Parameters {
    pub(crate) fn and(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.0.extend(value.map(|value| (name, value.to_string())));
        self
    }

    pub(crate) fn and_all(mut self, name: &'static str, values: &[String]) -> Self {
        self.0
            .extend(values.iter().map(|value| (name, value.clone())));
        self
    }
}

/// The path with parameters behind it.
pub(crate) fn with_query(path: &str, parameters: Parameters) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(parameters.0);
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// As a part of a path.
pub(crate) fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
