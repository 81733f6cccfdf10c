//! JSON for whatever takes it, signed.

use ring::hmac;
use serde_json::{Value, json};
use throughline_telemetry::UnixNanos;

use super::{Frame, Post, words};
use crate::notice::{Link, Notice, Phase, Whose};
use crate::outbox::Content;

/// The header with the signature.
pub const SIGNATURE: &str = "x-throughline-signature";

/// `t=SECONDS,v1=HEX`: the HMAC-SHA256 of `SECONDS.BODY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature(pub String);

impl Signature {
    /// Signs a body.
    pub fn new(secret: &str, now: UnixNanos, body: &str) -> Self {
        let seconds = now.0 / 1_000_000_000;
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
        Signature(format!("t={seconds},v1={}", hex(tag.as_ref())))
    }
}

/// Whether a signature is of this body and made within five minutes of now; how a receiver checks.
pub fn verify(secret: &str, signature: &str, body: &str, now: UnixNanos) -> bool {
    let mut parts = signature.split(',');
    let seconds = parts.next().and_then(|it| it.strip_prefix("t="));
    let given = parts.next().and_then(|it| it.strip_prefix("v1="));
    let (Some(seconds), Some(given)) = (seconds, given) else {
        return false;
    };
    let (Ok(at), Some(given)) = (seconds.parse::<u64>(), bytes(given)) else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = format!("{seconds}.{body}");
    hmac::verify(&key, signed.as_bytes(), &given).is_ok()
        && at.abs_diff(now.0 / 1_000_000_000) <= SECONDS_MAX
}

pub(super) fn post(url: &str, secret: &str, content: &Content, frame: &Frame) -> Post {
    let id = id(content, &frame.receiver.name);
    let mut json = match content {
        Content::Notice(notice, _) => of_notice(notice),
        Content::Letter(letter) => json!({"type": "letter", "letter": letter}),
    };
    json["version"] = 1.into();
    json["id"] = id.clone().into();
    json["why"] = frame.why.into();
    let body = json.to_string();
    let Signature(signature) = Signature::new(secret, frame.now, &body);
    Post {
        url: url.to_owned(),
        headers: vec![(SIGNATURE, signature), ("idempotency-key", id)],
        body,
    }
}

/// The same for every attempt.
fn id(content: &Content, receiver: &str) -> String {
    let text = match content {
        Content::Notice(notice, thread) => format!("{receiver}/{}/{}", notice.about, thread.before),
        Content::Letter(letter) => format!("{receiver}/{}", letter.about),
    };
    // A header takes visible ASCII.
    text.chars()
        .map(|it| if it.is_ascii_graphic() { it } else { '_' })
        .collect()
}

fn of_notice(notice: &Notice) -> Value {
    let phase = match notice.phase {
        Phase::Opened => "opened",
        Phase::Grew => "grew",
        Phase::Acknowledged => "acknowledged",
        Phase::Closed => "closed",
    };
    let links = |links: &[Link]| links.iter().map(|it| json!(it)).collect::<Vec<_>>();
    let mut json = json!({
        "type": phase,
        "about": notice.about,
        "severity": notice.severity.name(),
        "title": notice.title,
        "environment": notice.environment,
        "since": words::iso(notice.since),
        "at": words::iso(notice.at),
        "cause": notice.cause,
        "findings": notice.matters,
        "affected": notice.affected,
        "evidence": links(words::evidence(notice)),
        "actions": links(words::actions(notice)),
        "page": notice.page,
    });
    let Whose {
        environments,
        owners,
    } = &notice.whose;
    for (name, known) in [("environments", environments), ("owners", owners)] {
        if !known.is_empty() {
            json[name] = json!(known);
        }
    }
    json
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    let pairs = (0..hex.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect()
}

const SECONDS_MAX: u64 = 300;
