//! The first thing that the process does: say to the platform that it is there.

use std::time::Duration;

use serde_json::Value as Json;

use super::blocking::{self, Answer, Call, Trouble};

/// What a registered extension knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registration {
    /// What every later call says who it is with.
    pub(super) identifier: String,
    /// The function's name, as the platform has it; empty if it did not say.
    pub(super) function_name: String,
    /// Its version.
    pub(super) function_version: String,
}

/// Why there is no registration. Where the platform is not to be reached or says no, there is no
/// function to serve.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RegisterError {
    /// Nobody is there.
    #[error("cannot reach the platform at {address}: {why}")]
    Unreachable { address: String, why: String },
    /// The platform said no.
    #[error("the platform answered {status}: {body}")]
    Refused { status: u16, body: String },
    /// The platform said something that cannot be read.
    #[error("cannot read the platform's answer: {why}")]
    Unreadable { why: &'static str },
}

/// Registers `name` for `events`. Tried again only while nobody is there: a second registration of
/// the same name would be refused.
pub(crate) fn register(
    address: &str,
    name: &str,
    events: &[&str],
) -> Result<Registration, RegisterError> {
    let body = format!(r#"{{"events":["{}"]}}"#, events.join(r#"",""#));
    let call = Call {
        address,
        method: "POST",
        path: "/2020-01-01/extension/register",
        headers: &[("lambda-extension-name", name)],
        body: &body,
        wait: Some(ANSWER_MAX),
    };
    let mut attempt = 1;
    loop {
        match blocking::call(&call) {
            Ok(answer) => return registration(&answer),
            Err(Trouble::Unreadable(why)) => return Err(RegisterError::Unreadable { why }),
            Err(Trouble::Unreachable(_)) if attempt < ATTEMPTS_MAX => {
                attempt += 1;
                std::thread::sleep(PAUSE);
            }
            Err(Trouble::Unreachable(why)) => {
                let address = address.to_owned();
                return Err(RegisterError::Unreachable { address, why });
            }
        }
    }
}

fn registration(answer: &Answer) -> Result<Registration, RegisterError> {
    if !(200..300).contains(&answer.status) {
        return Err(RegisterError::Refused {
            status: answer.status,
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        });
    }
    let identifier = answer.header(IDENTIFIER).filter(|value| !value.is_empty());
    let why = "it has no identifier";
    let identifier = identifier.ok_or(RegisterError::Unreadable { why })?;
    // The names are in the variables too; an answer without them is as good.
    let told: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
    Ok(Registration {
        identifier: identifier.to_owned(),
        function_name: text("functionName"),
        function_version: text("functionVersion"),
    })
}

/// Only what keeps the function running, until SHUTDOWN: the last resort when nothing else could be
/// had, not even an async runtime. Ends when the platform is gone.
pub(crate) fn idle(address: &str, who: &Registration) {
    let call = Call {
        address,
        method: "GET",
        path: "/2020-01-01/extension/event/next",
        headers: &[(IDENTIFIER, &who.identifier)],
        body: "",
        // The environment may be frozen meanwhile.
        wait: None,
    };
    let mut failures = 0;
    while failures < IDLE_FAILURES_MAX {
        let event = blocking::call(&call).ok();
        let event = event.filter(|answer| answer.status == 200);
        match event.map(|answer| serde_json::from_slice::<Json>(&answer.body)) {
            Some(Ok(event)) if event["eventType"] == "SHUTDOWN" => return,
            Some(_) => failures = 0,
            None => {
                failures += 1;
                std::thread::sleep(PAUSE);
            }
        }
    }
}

pub(super) const IDENTIFIER: &str = "lambda-extension-identifier";
const ATTEMPTS_MAX: u32 = 3;
const IDLE_FAILURES_MAX: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);
/// As long as an init may take: without an answer there is no function to run beside.
const ANSWER_MAX: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    const EVENTS: &[&str] = &["INVOKE", "SHUTDOWN"];

    /// A platform that answers one call after the other, and what it was asked.
    fn platform(
        answers: &'static [(u16, &'static str, &'static str)],
    ) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let served = std::thread::spawn(move || {
            let answer = |(status, headers, body): &(u16, &str, &str)| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut bytes = [0; 4096];
                let count = stream.read(&mut bytes).unwrap();
                let length = body.len();
                let text = format!(
                    "HTTP/1.1 {status} Said\r\n{headers}content-length: {length}\r\n\r\n{body}"
                );
                stream.write_all(text.as_bytes()).unwrap();
                String::from_utf8_lossy(&bytes[..count]).into_owned()
            };
            answers.iter().map(answer).collect()
        });
        (address, served)
    }

    #[test]
    fn who_registers_is_told_who_it_is() {
        let body = r#"{"functionName":"checkout","functionVersion":"7","handler":"h"}"#;
        let answers: &[_] = Box::leak(Box::new([(
            200,
            "Lambda-Extension-Identifier: id\r\n",
            body,
        )]));
        let (address, served) = platform(answers);
        let who = register(&address, "throughline-extension", EVENTS).unwrap();
        let expected = Registration {
            identifier: "id".into(),
            function_name: "checkout".into(),
            function_version: "7".into(),
        };
        assert_eq!(who, expected);
        let asked = served.join().unwrap().remove(0);
        assert!(
            asked.contains("lambda-extension-name: throughline-extension\r\n"),
            "{asked}"
        );
        assert!(
            asked.ends_with(r#"{"events":["INVOKE","SHUTDOWN"]}"#),
            "{asked}"
        );
    }

    #[test]
    fn an_answer_without_names_is_enough_and_one_without_an_id_is_not() {
        let (address, _) = platform(&[(200, "lambda-extension-identifier: id\r\n", "not json")]);
        assert_eq!(register(&address, "x", EVENTS).unwrap().function_name, "");
        let (address, _) = platform(&[(200, "", "{}")]);
        let why = "it has no identifier";
        assert_eq!(
            register(&address, "x", EVENTS),
            Err(RegisterError::Unreadable { why })
        );
    }

    #[test]
    fn a_refusal_is_not_tried_again() {
        let (address, _) = platform(&[(403, "", "closed")]);
        let body = "closed".to_owned();
        assert_eq!(
            register(&address, "x", EVENTS),
            Err(RegisterError::Refused { status: 403, body })
        );
    }

    #[test]
    fn idle_serves_every_invocation_until_shutdown() {
        let (address, served) = platform(&[
            (200, "", r#"{"eventType":"INVOKE"}"#),
            (500, "", ""),
            (200, "", "what?"),
            (200, "", r#"{"eventType":"SHUTDOWN"}"#),
        ]);
        let who = Registration {
            identifier: "id".into(),
            function_name: String::new(),
            function_version: String::new(),
        };
        idle(&address, &who);
        let asked = served.join().unwrap();
        assert_eq!(asked.len(), 4);
        assert!(
            asked[3].contains("lambda-extension-identifier: id\r\n"),
            "{}",
            asked[3]
        );
    }
}
