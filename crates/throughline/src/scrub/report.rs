//! What is printed: the findings where they stand, then how many each rule has.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::json;
use throughline_scrub::Finding;

use crate::cli::Scrub;
use crate::output::{self, Reader};

pub(super) struct Report {
    json: bool,
    summary: bool,
    found: u64,
    pieces: u64,
    rules: BTreeMap<String, u64>,
}

impl Report {
    pub(super) fn new(arguments: &Scrub) -> Self {
        Self {
            json: arguments.json,
            summary: arguments.summary,
            found: 0,
            pieces: 0,
            rules: BTreeMap::new(),
        }
    }

    pub(super) fn found(&self) -> u64 {
        self.found
    }

    /// The findings of one line or request.
    pub(super) fn add(
        &mut self,
        line: Option<u64>,
        findings: &[Finding],
    ) -> anyhow::Result<Reader> {
        self.pieces += u64::from(!findings.is_empty());
        let mut text = String::new();
        let mut place = None;
        for finding in findings {
            self.found += 1;
            *self.rules.entry(finding.rule.to_string()).or_default() += 1;
            if self.summary {
                continue;
            }
            if self.json {
                writeln!(text, "{}", as_json(line, finding))?;
            } else if finding.place.is_empty() {
                let at = format!("{}:{}", line.unwrap_or(1), finding.column.unwrap_or(0) + 1);
                writeln!(text, "{at:<10} {}", outline(finding))?;
            } else {
                if place != Some(&finding.place) {
                    let line = line.map_or(String::new(), |line| format!("{line}: "));
                    writeln!(text, "{line}{}", printable(&finding.place))?;
                    place = Some(&finding.place);
                }
                let at = finding
                    .column
                    .map_or(String::new(), |column| (column + 1).to_string());
                writeln!(text, "    {at:<6} {}", outline(finding))?;
            }
        }
        match text.is_empty() {
            true => Ok(Reader::Listens),
            false => output::print(text),
        }
    }

    /// The totals.
    pub(super) fn end(&self, (pieces, unit): (u64, &str)) -> anyhow::Result<Reader> {
        if self.json {
            let summary = json!({
                "type": "summary",
                "findings": self.found,
                "with": self.pieces,
                "of": pieces,
                "unit": unit.trim_end_matches('s'),
                "rules": self.rules,
            });
            return output::print(format!("{summary}\n"));
        }
        let mut text = String::new();
        if self.found == 0 {
            writeln!(text, "nothing would go from {pieces} {unit}")?;
            return output::print(text);
        }
        if !self.summary {
            text.push('\n');
        }
        let found = match self.found {
            1 => "1 finding".to_owned(),
            found => format!("{found} findings"),
        };
        writeln!(text, "{found} in {} of {pieces} {unit}", self.pieces)?;
        let mut rules: Vec<_> = self.rules.iter().collect();
        rules.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let width = rules.iter().map(|(rule, _)| rule.len()).max().unwrap_or(0);
        for (rule, count) in rules {
            writeln!(text, "  {rule:<width$}  {count:>6}")?;
        }
        output::print(text)
    }
}

fn outline(finding: &Finding) -> String {
    let after = finding.after.as_deref().unwrap_or("nothing");
    format!(
        "{:<12}  {} → {after}",
        finding.rule.to_string(),
        finding.before
    )
}

fn as_json(line: Option<u64>, finding: &Finding) -> serde_json::Value {
    json!({
        "type": "finding",
        "rule": finding.rule.to_string(),
        "line": line,
        "place": Some(&finding.place).filter(|place| !place.is_empty()),
        "column": finding.column.map(|column| column + 1),
        "before": finding.before,
        "after": finding.after,
    })
}

/// Names come from strangers.
fn printable(text: &str) -> String {
    let letter = |letter: char| if letter.is_control() { '·' } else { letter };
    text.chars().map(letter).collect()
}
