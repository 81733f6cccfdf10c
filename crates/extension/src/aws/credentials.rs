//! Who asks.

use std::fmt;
use std::time::Duration;

use serde_json::Value as Json;
use throughline_telemetry::UnixNanos;

/// The keys of a role, for some hours. Their [`Debug`] shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    key_id: String,
    secret_key: String,
    token: Option<String>,
    /// From here on they are not used any more.
    stale_at: Option<UnixNanos>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

impl Credentials {
    /// Those of the environment's variables, which Lambda keeps valid for as long as it lives.
    pub fn new(key_id: &str, secret_key: &str, token: Option<&str>) -> Self {
        Credentials {
            key_id: key_id.to_owned(),
            secret_key: secret_key.to_owned(),
            token: token.map(str::to_owned),
            stale_at: None,
        }
    }

    /// Reads the answer of a container's credentials endpoint, which is where they are under
    /// SnapStart: a snapshot must not hold keys older than what is made from it.
    pub fn from_endpoint(body: &[u8]) -> Option<Self> {
        let told: Json = serde_json::from_slice(body).ok()?;
        let text = |key: &str| told[key].as_str().filter(|text| !text.is_empty());
        let expires = text("Expiration").and_then(crate::timestamp::parse);
        Some(Credentials {
            stale_at: expires.map(|at| UnixNanos(at.0.saturating_sub(nanos(EARLY)))),
            ..Credentials::new(
                text("AccessKeyId")?,
                text("SecretAccessKey")?,
                text("Token"),
            )
        })
    }

    /// Whether they may still be used.
    pub fn are_fresh(&self, now: UnixNanos) -> bool {
        self.stale_at.is_none_or(|at| now < at)
    }

    /// Their name, which is no secret.
    pub(super) fn key_id(&self) -> &str {
        &self.key_id
    }

    pub(super) fn secret_key(&self) -> &str {
        &self.secret_key
    }

    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// New ones are there well before the old ones end.
const EARLY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_an_endpoint_end() {
        let body = br#"{"AccessKeyId":"id","SecretAccessKey":"hidden","Token":"t","Expiration":"1970-01-01T01:00:00Z"}"#;
        let credentials = Credentials::from_endpoint(body).unwrap();
        let at = |minutes: u64| UnixNanos::from_millis(minutes * 60_000);
        assert!(credentials.are_fresh(at(58)));
        assert!(!credentials.are_fresh(at(59)));
        assert!(!format!("{credentials:?}").contains("hidden"));
        assert_eq!(credentials.token(), Some("t"));
        assert!(Credentials::new("id", "hidden", None).are_fresh(at(1 << 40)));
    }

    #[test]
    fn half_an_answer_is_none() {
        for body in [
            "",
            "[]",
            r#"{"AccessKeyId":"id"}"#,
            r#"{"AccessKeyId":"","SecretAccessKey":"x"}"#,
        ] {
            assert_eq!(Credentials::from_endpoint(body.as_bytes()), None, "{body}");
        }
    }
}
