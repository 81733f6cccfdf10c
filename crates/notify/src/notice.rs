//! What is told, in words and numbers, before it has a form.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use throughline_insight::detect::Severity;
use throughline_telemetry::UnixNanos;

/// One line of text that somebody else may have written: no line breaks, no control characters, not too long.
///
/// Whatever telemetry says stands in one of these, so that it can neither begin a header of a mail nor turn the
/// direction of the text around it. It is still no markup: each form escapes it by its own rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Line(String);

impl Line {
    /// The text on one line, of at most 300 characters.
    pub fn new(text: &str) -> Self {
        let words = text.split(|it: char| it.is_whitespace() || it.is_control());
        let mut line = String::new();
        for word in words.filter(|word| !word.is_empty()) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.extend(word.chars().filter(|it| !turns_text(*it)));
            if line.len() > BYTES_MAX {
                break;
            }
        }
        Line(Line(line).cut(CHARACTERS_MAX))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its beginning, of at most so many characters.
    pub fn cut(&self, characters_max: usize) -> String {
        match self.0.chars().count() > characters_max {
            true => {
                let begin = self.0.chars().take(characters_max.saturating_sub(1));
                begin.chain(['…']).collect()
            }
            false => self.0.clone(),
        }
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Line::new(&text)
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Line::new(text)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What changes the direction of the text after it.
fn turns_text(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An address with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What is behind it.
    pub text: Line,
    /// The address: `https://...`.
    pub href: String,
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It has begun, or goes on after it seemed to have ended.
    Opened,
    /// There is more to it.
    Grew,
    /// Somebody looks after it.
    Acknowledged,
    /// It has ended.
    Closed,
}

/// What most likely brings it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Likely {
    /// The node.
    #[serde(default)]
    pub node: String,
    /// In a sentence: `table:user: mean 4.00 ms → 133 ms`.
    pub text: Line,
    /// How much of it that explains, 0 to 1.
    pub share: f64,
}

/// One thing that is found, as routes and mutes see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    /// What is unusual, as in the API: `latency`.
    pub kind: String,
    /// Of what: `function:pay`; of calls who calls, then who is called.
    pub nodes: Vec<String>,
    /// In a line.
    pub title: Line,
    /// How much it matters by itself.
    #[serde(with = "SeverityName", default = "note")]
    pub severity: Severity,
}

/// What somebody has to worry about. Whoever was told that something is slow wants to hear that it costs as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concern {
    /// That it works, and how well.
    Work,
    /// What it costs.
    Cost,
    /// What it reaches that it never did.
    Access,
    /// Messages and events that are lost.
    Loss,
    /// Telemetry that is lost.
    Telemetry,
}

impl Matter {
    /// What it makes somebody worry about.
    pub fn concern(&self) -> Concern {
        match self.kind.as_str() {
            "cost" => Concern::Cost,
            "new_edge" => Concern::Access,
            "dead_letters" => Concern::Loss,
            "incomplete" => Concern::Telemetry,
            _ => Concern::Work,
        }
    }
}

/// Where something runs and whose it is, as its spans say; nothing of what is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Whose {
    /// Its environments: `production`.
    pub environments: Vec<Line>,
    /// Its owners: `payments`.
    pub owners: Vec<Line>,
}

impl Whose {
    /// Its environments; the one that is said of the whole server, if they are not known.
    pub(crate) fn places<'a>(&'a self, of_server: &'a str) -> Vec<&'a str> {
        match self.environments.is_empty() {
            true => vec![of_server],
            false => self.environments.iter().map(Line::as_str).collect(),
        }
    }

    pub(crate) fn owners(&self) -> Vec<&str> {
        self.owners.iter().map(Line::as_str).collect()
    }

    fn is_empty(&self) -> bool {
        self.environments.is_empty() && self.owners.is_empty()
    }
}

/// Something to tell: an incident, an alert or an objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is about, the same for everything that is told of it: `incident-12`.
    pub about: String,
    /// What has happened to it.
    pub phase: Phase,
    /// How much it matters.
    #[serde(with = "SeverityName")]
    pub severity: Severity,
    /// What and how bad: `function:pay is slower: p99 100 ms → 147 ms (+47 %), since version 42`.
    pub title: Line,
    /// What it is made of, the gravest first. Never empty.
    pub matters: Vec<Matter>,
    /// What the telemetry of the server is of: `production`. Empty if nobody has said.
    pub environment: String,
    /// Where what it is of runs, and whose that is.
    #[serde(default, skip_serializing_if = "Whose::is_empty")]
    pub whose: Whose,
    /// When it began.
    #[serde(with = "nanos")]
    pub since: UnixNanos,
    /// When this was so.
    #[serde(with = "nanos")]
    pub at: UnixNanos,
    /// What most likely brings it, if that is known.
    pub cause: Option<Likely>,
    /// Who else suffers from that, the nearest first: `function:shop fails: 0 % → 38 %`.
    #[serde(default)]
    pub affected: Vec<Line>,
    /// Where it can be seen.
    pub evidence: Vec<Link>,
    /// What can be done about it.
    pub actions: Vec<Link>,
    /// The address of its page.
    pub page: String,
}

impl Notice {
    /// The nodes that it is of, each once, in the order of what it is made of.
    pub fn nodes(&self) -> Vec<&str> {
        let mut nodes: Vec<&str> = Vec::new();
        for node in self.matters.iter().flat_map(|matter| &matter.nodes) {
            if !nodes.contains(&node.as_str()) {
                nodes.push(node);
            }
        }
        nodes
    }

    /// The environments that it is in.
    pub fn places(&self) -> Vec<&str> {
        self.whose.places(&self.environment)
    }

    /// What it makes somebody worry about.
    pub fn concerns(&self) -> BTreeSet<Concern> {
        self.matters.iter().map(Matter::concern).collect()
    }

    /// The kind of what is gravest.
    pub fn kind(&self) -> &str {
        self.matters.first().map_or("", |matter| &matter.kind)
    }

    /// The node of what is gravest.
    pub fn node(&self) -> &str {
        let first = self.matters.first().and_then(|matter| matter.nodes.first());
        first.map_or("", String::as_str)
    }

    /// Whether it is what a test of a receiver sends.
    pub(crate) fn is_test(&self) -> bool {
        self.kind() == TEST
    }

    /// What a test of a receiver sends.
    pub fn sample(base: &str, environment: &str, now: UnixNanos) -> Notice {
        let link = |text: &str, path: &str| Link {
            text: text.into(),
            href: format!("{base}{path}"),
        };
        Notice {
            about: format!("test-{}", now.0 / 1_000_000_000),
            phase: Phase::Opened,
            severity: Severity::Note,
            title: "this is a test: function:checkout is slower: p99 100 ms → 147 ms (+47 %), since version 42".into(),
            matters: vec![Matter {
                kind: TEST.to_owned(),
                nodes: vec!["function:checkout".to_owned()],
                title: "this is a test".into(),
                severity: Severity::Note,
            }],
            environment: environment.to_owned(),
            whose: Whose::default(),
            since: now,
            at: now,
            cause: Some(Likely {
                node: "table:user".to_owned(),
                text: "table:user: mean 4.00 ms → 133 ms".into(),
                share: 0.92,
            }),
            affected: vec!["function:shop is slow: 120 ms → 168 ms".into()],
            evidence: vec![link("incidents", "/incidents")],
            actions: vec![link("Notification settings", "/notifications")],
            page: format!("{base}/incidents"),
        }
    }
}

fn note() -> Severity {
    Severity::Note
}

/// How severities are written: `note`, `warning`, `critical`.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Severity", rename_all = "lowercase")]
pub(crate) enum SeverityName {
    Note,
    Warning,
    Critical,
}

pub(crate) mod nanos {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use throughline_telemetry::UnixNanos;

    pub(crate) fn serialize<S: Serializer>(at: &UnixNanos, to: S) -> Result<S::Ok, S::Error> {
        at.0.serialize(to)
    }

    pub(crate) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<UnixNanos, D::Error> {
        u64::deserialize(from).map(UnixNanos)
    }
}

/// The kind of a test, of which there are no findings.
const TEST: &str = "test";
/// Of one line. What is longer is cut, with an ellipsis.
const CHARACTERS_MAX: usize = 300;
/// So many bytes have more characters than that.
const BYTES_MAX: usize = 4 * CHARACTERS_MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(
            Line::new(" a\r\nBcc: x@y\t\u{0}b  c \u{202e}d").as_str(),
            "a Bcc: x@y b c d"
        );
        let long = Line::new(&"ä ".repeat(400));
        assert_eq!(long.as_str().chars().count(), 300);
        assert!(long.as_str().ends_with('…'));
        assert_eq!(Line::new("abcdef").cut(4), "abc…");
        assert_eq!(Line::new("abcd").cut(4), "abcd");
        let read: Line = serde_json::from_str(r#""a\nb""#).unwrap();
        assert_eq!(read.as_str(), "a b");
    }
}
