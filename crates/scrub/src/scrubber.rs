//! The one that applies the rules.

use std::borrow::Cow;

use throughline_telemetry::wire::Request;

use crate::counts::{Counts, Rule};
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
}

impl Scrubber {
    /// A scrubber that has not seen anything.
    pub fn new(rules: Rules) -> Self {
        Scrubber {
            rules,
            counts: Counts::default(),
        }
    }

    /// Takes secrets out of a whole export request: every attribute, body, message and name in it.
    pub fn request(&mut self, mut request: Request) -> Scrubbed<Request> {
        request::scrub(&mut request, self);
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
            let found = pattern.find_iter(&scrubbed).count();
            if found > 0 {
                let word = format!("[{name}]");
                let replaced = pattern.replace_all(&scrubbed, regex_lite::NoExpand(&word));
                scrubbed = Cow::Owned(replaced.into_owned());
                for _ in 0..found {
                    self.counts.add(Rule::User(name.clone()));
                }
            }
        }
        scrubbed
    }

    /// How often each rule applied so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) fn count(&mut self, rule: Rule) {
        self.counts.add(rule);
    }

    fn replace(&mut self, text: &str, hits: Vec<text::Hit>) -> String {
        let mut scrubbed = String::with_capacity(text.len());
        let mut end = 0;
        for hit in hits {
            scrubbed.push_str(&text[end..hit.start]);
            scrubbed.push_str(&hit.replacement);
            end = hit.end;
            self.counts.add(hit.rule);
        }
        scrubbed.push_str(&text[end..]);
        scrubbed
    }
}
