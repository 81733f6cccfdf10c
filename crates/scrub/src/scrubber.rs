//! The one that applies the rules.

use std::borrow::Cow;

use throughline_telemetry::UnixNanos;
use throughline_telemetry::wire::Request;

use crate::counts::{Counts, Rule};
use crate::finding::{Finding, Findings, outline};
use crate::known::{Known, Verdict};
use crate::payload::{Budgets, Origin};
use crate::request;
use crate::rules::Rules;
use crate::text;

/// Something that has been scrubbed. Only a [`Scrubber`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrubbed<T>(T);

impl<T> Scrubbed<T> {
    /// What was scrubbed, to be sent or stored.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> std::ops::Deref for Scrubbed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Applies rules and counts what they found.
#[derive(Clone, Debug)]
pub struct Scrubber {
    rules: Rules,
    counts: Counts,
    /// What [`Scrubber::news`] has told.
    told: Counts,
    budgets: Budgets,
    known: Known,
    /// So many further lines may belong to a private key that began on one of its own.
    key_lines: usize,
    findings: Option<Box<Findings>>,
}

impl Scrubber {
    /// A scrubber that has not seen anything.
    pub fn new(rules: Rules) -> Self {
        Scrubber {
            rules,
            counts: Counts::default(),
            told: Counts::default(),
            budgets: Budgets::default(),
            known: Known::default(),
            key_lines: 0,
            findings: None,
        }
    }

    /// The same, and every finding is kept for [`Scrubber::take_findings`], which costs memory.
    pub fn observed(rules: Rules) -> Self {
        Scrubber {
            findings: Some(Box::default()),
            ..Scrubber::new(rules)
        }
    }

    /// Takes secrets out of a whole export request: every attribute, body, message and name in it. Of no span it is
    /// known whose invocation it belongs to; what a span says of itself counts.
    pub fn request(&mut self, request: Request) -> Scrubbed<Request> {
        self.request_of(request, &|_, _| None)
    }

    /// The same where somebody knows how invocations went, by the trace id of a span or log record and its time.
    pub fn request_of(
        &mut self,
        mut request: Request,
        origin: &dyn Fn(&[u8], UnixNanos) -> Option<Origin>,
    ) -> Scrubbed<Request> {
        self.budgets.begin_request();
        request::scrub(&mut request, self, origin);
        Scrubbed(request)
    }

    /// Takes secrets out of a text: prose, a log line, JSON, a query string, headers.
    pub fn text<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        let hits = text::find(text, &self.rules);
        let mut scrubbed = match hits.is_empty() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(self.replace(text, hits)),
        };
        for (name, pattern) in &self.rules.patterns {
            if let Some(replaced) = replaced(
                name,
                pattern,
                &scrubbed,
                &mut self.findings,
                &mut self.counts,
            ) {
                scrubbed = Cow::Owned(replaced);
            }
        }
        scrubbed
    }

    /// Takes secrets out of a line of a log. Unlike [`Scrubber::text`] it remembers that a private key began on an
    /// earlier line.
    pub fn line<'t>(&mut self, line: &'t str) -> Cow<'t, str> {
        match self.key_lines {
            0 => {}
            _ if text::is_of_key(line) => {
                self.key_lines = match text::ends_key(line) {
                    true => 0,
                    false => self.key_lines - 1,
                };
                self.found(Rule::PrivateKey, || outline(line), Some(PRIVATE_KEY));
                return Cow::Borrowed(PRIVATE_KEY);
            }
            _ => self.key_lines -= 1,
        }
        if text::ends_key(line) {
            self.key_lines = 0;
        } else if text::begins_key(line) {
            self.key_lines = KEY_LINES_MAX;
        }
        self.text(line)
    }

    /// How often each rule applied so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The rules that applied since this was last asked, and how often each did.
    pub fn news(&mut self) -> Vec<(String, u64)> {
        let told = std::mem::replace(&mut self.told, self.counts.clone());
        let news = self.counts.iter().filter_map(|(rule, count)| {
            let more = count - told.of(rule);
            (more > 0).then(|| (rule.to_string(), more))
        });
        news.collect()
    }

    /// What was found since it was last asked. Nothing, unless it is [`Scrubber::observed`].
    pub fn take_findings(&mut self) -> Vec<Finding> {
        let findings = self.findings.as_mut();
        findings.map_or_else(Vec::new, |findings| std::mem::take(&mut findings.found))
    }

    pub(crate) fn budgets(&mut self) -> &mut Budgets {
        &mut self.budgets
    }

    pub(crate) fn known(&mut self) -> &mut Known {
        &mut self.known
    }

    /// What this name of an attribute means; `None` if it has a secret in it.
    pub(crate) fn name(&mut self, name: &str) -> Option<Verdict> {
        self.known.name(name, &self.rules)
    }

    /// Works inside of a part of the request.
    pub(crate) fn within<R>(
        &mut self,
        step: impl FnOnce() -> String,
        work: impl FnOnce(&mut Self) -> R,
    ) -> R {
        if let Some(findings) = &mut self.findings {
            findings.path.push(step());
        }
        let result = work(self);
        if let Some(findings) = &mut self.findings {
            findings.path.pop();
        }
        result
    }

    /// Counts what a rule did with a value as a whole.
    pub(crate) fn found(
        &mut self,
        rule: Rule,
        before: impl FnOnce() -> String,
        after: Option<&str>,
    ) {
        if let Some(findings) = &mut self.findings {
            findings.add(rule.clone(), None, before(), after);
        }
        self.counts.add(rule);
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    fn replace(&mut self, text: &str, hits: Vec<text::Hit>) -> String {
        let mut scrubbed = String::with_capacity(text.len());
        let mut end = 0;
        for hit in hits {
            scrubbed.push_str(&text[end..hit.start]);
            scrubbed.push_str(&hit.replacement);
            end = hit.end;
            if let Some(findings) = &mut self.findings {
                let column = text[..hit.start].chars().count();
                let before = outline(&text[hit.start..hit.end]);
                findings.add(
                    hit.rule.clone(),
                    Some(column),
                    before,
                    Some(&hit.replacement),
                );
            }
            self.counts.add(hit.rule);
        }
        scrubbed.push_str(&text[end..]);
        scrubbed
    }
}

/// The text with what matches replaced, if anything does.
fn replaced(
    name: &str,
    pattern: &regex_lite::Regex,
    text: &str,
    findings: &mut Option<Box<Findings>>,
    counts: &mut Counts,
) -> Option<String> {
    let word = format!("[{name}]");
    let mut scrubbed = String::new();
    let mut end = 0;
    for found in pattern.find_iter(text) {
        if let Some(findings) = findings {
            let column = text[..found.start()].chars().count();
            let rule = Rule::User(name.to_owned());
            findings.add(rule, Some(column), outline(found.as_str()), Some(&word));
        }
        counts.add(Rule::User(name.to_owned()));
        scrubbed.push_str(&text[end..found.start()]);
        scrubbed.push_str(&word);
        end = found.end();
    }
    (end > 0).then(|| scrubbed + &text[end..])
}

const PRIVATE_KEY: &str = "[private-key]";
/// A key has some thirty lines; other lines may stand between them.
const KEY_LINES_MAX: usize = 200;
