//! The function that is run: it exports spans whose ids say where they are from, and then does as
//! its event says.

use std::fmt::Write;
use std::process::{ExitCode, exit};
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::call;
use crate::journal::{Export, Journal, first_span};

/// What an invocation is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// Its number, from which the ids of its spans follow.
    pub(crate) number: u64,
    pub(crate) exports: u64,
    /// In each export.
    pub(crate) spans: u64,
    /// Bytes of text in each span.
    pub(crate) text: usize,
    pub(crate) then: Then,
}

/// How an invocation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It answers.
    Return,
    /// The process ends.
    Exit,
    /// Nothing more comes of it.
    Hang,
}

impl Event {
    /// A few spans and an answer.
    pub(crate) fn plain(number: u64) -> Self {
        Event {
            number,
            exports: 2,
            spans: 3,
            text: 0,
            then: Then::Return,
        }
    }

    /// Far more than the tests let wait, in memory and in `/tmp`.
    pub(crate) fn flood(number: u64) -> Self {
        Event {
            exports: 40,
            spans: 20,
            text: 1500,
            ..Event::plain(number)
        }
    }

    pub(crate) fn payload(self) -> String {
        let then = match self.then {
            Then::Return => "return",
            Then::Exit => "exit",
            Then::Hang => "hang",
        };
        json!({"number": self.number, "exports": self.exports, "spans": self.spans, "text": self.text, "then": then})
            .to_string()
    }

    /// The trace that the spans of an invocation belong to.
    pub(crate) fn trace_id(self) -> String {
        trace_id(self.number)
    }
}

/// What the function says when it has nothing more to send, and hangs.
pub(crate) fn hangs(number: u64) -> String {
    format!("invocation {number} hangs")
}

/// The trace that the spans of this invocation belong to.
pub(crate) fn trace_id(number: u64) -> String {
    format!("67200000{number:024x}")
}

/// Handles events until the environment ends.
#[allow(clippy::disallowed_methods)] // a function is told by its environment
pub(crate) fn play() -> ExitCode {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let api = variable("AWS_LAMBDA_RUNTIME_API");
    let journal = Journal::at(variable(JOURNAL));
    let told = variable("THROUGHLINE_OTLP_LISTEN");
    let extension = match told.as_str() {
        "" => "127.0.0.1:4318",
        told => told,
    };
    // Whoever is hung up on has nothing more to do.
    while serve(&api, extension, &journal).is_some() {}
    ExitCode::from(9)
}

fn serve(api: &str, extension: &str, journal: &Journal) -> Option<()> {
    let runtime = "/2018-06-01/runtime/invocation";
    let next = call(api, "GET", &format!("{runtime}/next"), "")?;
    let id = next.header("lambda-runtime-aws-request-id")?.to_owned();
    let event: Value = serde_json::from_str(&next.body).ok()?;
    let number = |key: &str| event[key].as_u64().unwrap_or(0);
    for export in 0..number("exports") {
        let first = first_span(number("number"), export);
        let count = number("spans");
        let body = spans(number("number"), first, count, number("text"));
        let answer = call(extension, "POST", "/v1/traces", &body);
        let status = answer.map_or(0, |answer| answer.status);
        journal.add(Export {
            first,
            count,
            status,
        });
    }
    match event["then"].as_str() {
        Some("exit") => exit(3),
        Some("hang") => {
            println!("{}", hangs(number("number")));
            std::thread::sleep(Duration::from_secs(600));
        }
        _ => {}
    }
    let answer = json!({"number": number("number")}).to_string();
    call(api, "POST", &format!("{runtime}/{id}/response"), &answer)?;
    Some(())
}

/// OTLP in JSON.
#[allow(clippy::disallowed_methods)] // spans have times
fn spans(invocation: u64, first: u64, count: u64, text: u64) -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let (trace, now) = (trace_id(invocation), now.as_nanos());
    let mut list = String::new();
    for span in first..first + count {
        let comma = if list.is_empty() { "" } else { "," };
        let words = words(span, text);
        let _ = write!(
            list,
            r#"{comma}{{"traceId":"{trace}","spanId":"{span:016x}","name":"work","startTimeUnixNano":"{now}","endTimeUnixNano":"{now}","attributes":[{{"key":"words","value":{{"stringValue":"{words}"}}}}]}}"#
        );
    }
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{list}]}}]}}]}}"#)
}

/// Text that hardly shrinks when it is packed, and in which nothing looks like a secret.
fn words(seed: u64, bytes: u64) -> String {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let letters = (0..bytes).map(|at| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let letter = b'a' + u8::try_from(random % 26).unwrap_or(0);
        if at % 6 == 5 { ' ' } else { char::from(letter) }
    });
    letters.collect()
}

/// The variable that names the journal.
pub(crate) const JOURNAL: &str = "PROOF_JOURNAL";
