//! Secrets Manager and the parameter store of Systems Manager: one question each, and its answer.

use std::fmt;

use serde_json::{Value as Json, json};
use throughline_telemetry::UnixNanos;

use super::Credentials;
use super::sign::{self, Scope, Signable};

/// Under which name a key is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyName {
    /// A secret's name or ARN; with `#member` that member of a secret that is a JSON object.
    Secret(String),
    /// A parameter's name or ARN, encrypted or not.
    Parameter(String),
}

/// Where the services are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The function's region.
    pub region: String,
    /// Where Secrets Manager is, if it is not where AWS has it.
    pub secrets_manager: Option<String>,
    /// Where Systems Manager is, likewise.
    pub ssm: Option<String>,
}

/// A signed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// `https://…` of the service.
    pub base: String,
    /// Its host, as the signature has it.
    pub host: String,
    /// Name and value. Those with the signature in them are of use to others for minutes.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
}

/// Why there is no key in an answer. Never holds what was answered: it may be part of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// The service said no, for instance `AccessDeniedException`.
    #[error("AWS answered {status} {kind}")]
    Refused {
        /// Of HTTP.
        status: u16,
        /// Its name of the error.
        kind: String,
    },
    /// It is no text.
    #[error("it has no text")]
    NoText,
    /// It is no JSON object, or has no such member.
    #[error("it is no JSON object with a text {0:?}")]
    NoMember(String),
    /// No header can hold it.
    #[error("it has characters that no header may have")]
    NoHeader,
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyName::Secret(name) => write!(f, "secret {name}"),
            KeyName::Parameter(name) => write!(f, "parameter {name}"),
        }
    }
}

impl KeyName {
    /// The request that asks for it.
    pub fn question(&self, places: &Places, credentials: &Credentials, now: UnixNanos) -> Question {
        let (service, place, target, body) = match self {
            KeyName::Secret(_) => (
                "secretsmanager",
                &places.secrets_manager,
                "secretsmanager.GetSecretValue",
                json!({ "SecretId": self.id() }),
            ),
            KeyName::Parameter(_) => (
                "ssm",
                &places.ssm,
                "AmazonSSM.GetParameter",
                json!({ "Name": self.id(), "WithDecryption": true }),
            ),
        };
        let region = region_of(self.id()).unwrap_or(&places.region);
        let base = place.clone().unwrap_or_else(|| {
            let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://{service}.{region}.amazonaws.com{suffix}")
        });
        let host = base
            .split_once("://")
            .map_or(base.as_str(), |(_, host)| host);
        let host = host.split('/').next().unwrap_or_default().to_owned();
        let (body, date) = (body.to_string(), sign::date(now));
        let mut headers = vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-date", date.clone()),
            ("x-amz-target", target.to_owned()),
        ];
        if let Some(token) = credentials.token() {
            headers.push(("x-amz-security-token", token.to_owned()));
        }
        let signed = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let request = Signable {
            method: "POST",
            path: "/",
            query: "",
            headers: signed.chain([("host", host.as_str())]).collect(),
            body: body.as_bytes(),
        };
        let scope = Scope { region, service };
        let value = sign::authorization(&request, credentials, scope, &date);
        headers.push(("authorization", value));
        Question {
            base,
            host,
            headers,
            body,
        }
    }

    /// The key in the answer.
    ///
    /// # Errors
    ///
    /// Where the service refused, or what it keeps under the name cannot be a key.
    pub fn answer(&self, status: u16, body: &[u8]) -> Result<String, NoKey> {
        let told: Json = serde_json::from_slice(body).unwrap_or_default();
        if !(200..300).contains(&status) {
            let kind = told["__type"].as_str().unwrap_or_default();
            // `com.amazonaws.ssm#ParameterNotFound`
            let kind = kind.rsplit('#').next().unwrap_or_default();
            let kind = kind.chars().filter(char::is_ascii_alphanumeric);
            let kind = kind.take(KIND_CHARS_MAX).collect();
            return Err(NoKey::Refused { status, kind });
        }
        let text = match self {
            KeyName::Secret(_) => &told["SecretString"],
            KeyName::Parameter(_) => &told["Parameter"]["Value"],
        };
        let text = text.as_str().ok_or(NoKey::NoText)?;
        let key = match self.member() {
            None => text.to_owned(),
            Some(member) => {
                let object: Json = serde_json::from_str(text).unwrap_or_default();
                let value = object[member].as_str().map(str::to_owned);
                value.ok_or_else(|| NoKey::NoMember(member.to_owned()))?
            }
        };
        let key = key.trim();
        match !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(key.to_owned()),
            false => Err(NoKey::NoHeader),
        }
    }

    fn id(&self) -> &str {
        match self {
            KeyName::Secret(name) => name.split_once('#').map_or(name, |(id, _)| id),
            KeyName::Parameter(name) => name,
        }
    }

    fn member(&self) -> Option<&str> {
        match self {
            KeyName::Secret(name) => name.split_once('#').map(|(_, member)| member),
            KeyName::Parameter(_) => None,
        }
    }
}

/// The region in an ARN; what has no ARN is where the function is.
fn region_of(id: &str) -> Option<&str> {
    let mut parts = id.split(':');
    let region = (parts.next() == Some("arn")).then(|| parts.nth(2))?;
    region.filter(|region| !region.is_empty())
}

/// A name of an error is shorter.
const KIND_CHARS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(name: &KeyName, places: &Places) -> Question {
        let credentials = Credentials::new("AKIDEXAMPLE", "hidden", Some("a-token"));
        name.question(
            places,
            &credentials,
            UnixNanos::from_millis(1_440_938_160_000),
        )
    }

    fn places() -> Places {
        Places {
            region: "eu-west-1".into(),
            ..Places::default()
        }
    }

    #[test]
    fn questions_go_to_the_region_of_what_they_ask_for() {
        let secret = |name: &str| KeyName::Secret(name.to_owned());
        let arn = "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:key-AbCdEf#member";
        for (name, base, body) in [
            (
                secret("throughline/key#member"),
                "https://secretsmanager.eu-west-1.amazonaws.com",
                r#"{"SecretId":"throughline/key"}"#,
            ),
            (
                secret(arn),
                "https://secretsmanager.cn-north-1.amazonaws.com.cn",
                r#"{"SecretId":"arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:key-AbCdEf"}"#,
            ),
            (
                KeyName::Parameter("/throughline/key".into()),
                "https://ssm.eu-west-1.amazonaws.com",
                r#"{"Name":"/throughline/key","WithDecryption":true}"#,
            ),
        ] {
            let question = ask(&name, &places());
            assert_eq!(
                (question.base.as_str(), question.body.as_str()),
                (base, body)
            );
            assert_eq!(question.host, base.trim_start_matches("https://"));
            let header = |name: &str| {
                let mut headers = question.headers.iter();
                headers
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| value.clone())
            };
            assert_eq!(header("x-amz-date").as_deref(), Some("20150830T123600Z"));
            assert_eq!(header("x-amz-security-token").as_deref(), Some("a-token"));
            let signed =
                "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,";
            assert!(header("authorization").unwrap().contains(signed));
        }
    }

    #[test]
    fn services_may_be_elsewhere() {
        let elsewhere = Places {
            ssm: Some("http://127.0.0.1:5000/aws".into()),
            ..places()
        };
        let question = ask(&KeyName::Parameter("key".into()), &elsewhere);
        assert_eq!(question.base, "http://127.0.0.1:5000/aws");
        assert_eq!(question.host, "127.0.0.1:5000");
    }

    #[test]
    fn answers_and_what_is_wrong_with_them() {
        let secret = KeyName::Secret("id#key".into());
        let plain = KeyName::Secret("id".into());
        let parameter = KeyName::Parameter("id".into());
        for (name, status, body, found) in [
            (&plain, 200, r#"{"SecretString":" k-1\n"}"#, Ok("k-1")),
            (
                &secret,
                200,
                r#"{"SecretString":"{\"key\":\"k-2\"}"}"#,
                Ok("k-2"),
            ),
            (
                &parameter,
                200,
                r#"{"Parameter":{"Value":"k-3"}}"#,
                Ok("k-3"),
            ),
            (
                &plain,
                200,
                r#"{"SecretBinary":"aGk="}"#,
                Err("it has no text"),
            ),
            (&plain, 200, "<html>", Err("it has no text")),
            (
                &plain,
                200,
                r#"{"SecretString":"two words"}"#,
                Err("it has characters that no header may have"),
            ),
            (
                &plain,
                200,
                r#"{"SecretString":""}"#,
                Err("it has characters that no header may have"),
            ),
            (
                &secret,
                200,
                r#"{"SecretString":"k-1"}"#,
                Err(r#"it is no JSON object with a text "key""#),
            ),
            (
                &parameter,
                400,
                r#"{"__type":"com.amazonaws.ssm#ParameterNotFound","message":"no"}"#,
                Err("AWS answered 400 ParameterNotFound"),
            ),
            (&plain, 503, "", Err("AWS answered 503 ")),
        ] {
            let answer = name
                .answer(status, body.as_bytes())
                .map_err(|why| why.to_string());
            let found = found.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(answer, found, "{body}");
        }
    }
}
