//! `throughline scrub --dry-run`: what the extension would take out of a file.

mod input;
mod progress;
mod report;

use std::fs::File;
use std::io::{self, Read};
use std::process::ExitCode;

use anyhow::Context;
use throughline_scrub::{Fate, Origin, Rules, Scrubber, Setting, Settings};
use throughline_telemetry::wire::Request;

use crate::cli::Scrub;
use crate::output::Reader;
use input::{Input, Piece};
use progress::Progress;
use report::Report;

/// 0 if nothing would go, 1 if something would.
pub(crate) fn run(arguments: &Scrub) -> anyhow::Result<ExitCode> {
    let rules = rules(arguments);
    let name = arguments.file.display();
    let source: Box<dyn Read> = match arguments.file.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => {
            Box::new(File::open(&arguments.file).with_context(|| format!("cannot read {name}"))?)
        }
    };
    let mut input = Input::new(source).with_context(|| format!("cannot read {name}"))?;
    let mut scrubber = Scrubber::observed(rules);
    let mut report = Report::new(arguments);
    let mut progress = Progress::new();
    while let Some(piece) = input
        .next()
        .with_context(|| format!("cannot read {name}"))?
    {
        let bytes = piece.bytes();
        let line = look(&piece, &mut scrubber, arguments.failed);
        let findings = scrubber.take_findings();
        if !findings.is_empty() {
            progress.clear();
        }
        if report.add(line, &findings)? == Reader::Gone {
            break;
        }
        progress.add(bytes, &report);
    }
    progress.clear();
    report.end(input.unit())?;
    Ok(match report.found() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// Scrubs a piece and says on which line it stands, if it is one.
fn look(piece: &Piece, scrubber: &mut Scrubber, failed: bool) -> Option<u64> {
    match piece {
        Piece::Line { number, text } => {
            scrubber.line(text);
            Some(*number)
        }
        Piece::Request {
            number, request, ..
        } => {
            scrub(request, scrubber, failed);
            *number
        }
    }
}

fn scrub(request: &Request, scrubber: &mut Scrubber, failed: bool) {
    let origin = failed.then_some(Origin {
        invocation: 1,
        fate: Fate::Failed,
    });
    scrubber.request_of(request.clone(), &|_, _| origin);
}

/// What is wrong with a rule is told, and the others apply, as in the extension.
fn rules(arguments: &Scrub) -> Rules {
    let text = |setting: &Option<String>| setting.clone().unwrap_or_default();
    let (rules, wrong) = Settings {
        payloads: &text(&arguments.payloads),
        keys: &text(&arguments.keys),
        allow: &text(&arguments.allow),
        patterns: &text(&arguments.patterns),
        detect: &text(&arguments.detect),
        emails: &text(&arguments.emails),
    }
    .rules();
    for (setting, why) in wrong {
        let flag = match setting {
            Setting::Payloads => "--payloads",
            Setting::Patterns => "--patterns",
            Setting::Detect => "--detect",
            Setting::Emails => "--emails",
        };
        eprintln!("throughline: {flag}: {why}");
    }
    rules
}

#[cfg(test)]
mod tests;
