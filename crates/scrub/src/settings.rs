//! Rules from the words people write into variables and files.

use crate::payload::Payloads;
use crate::rules::Rules;

/// What somebody wrote; empty where they wrote nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings<'t> {
    /// `off`, `metadata`, `on-error` or `all`.
    pub payloads: &'t str,
    /// Further names whose values are secret, with commas between them.
    pub keys: &'t str,
    /// Names whose values are not, with commas between them.
    pub allow: &'t str,
    /// Patterns as `name=regex`, with spaces or commas between them.
    pub patterns: &'t str,
    /// Detectors to add, with commas between them: `ssn`, `iban`, `ipv4`.
    pub detect: &'t str,
    /// `off` leaves e-mail addresses as they are.
    pub emails: &'t str,
}

/// Which of the settings is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// [`Settings::payloads`].
    Payloads,
    /// [`Settings::patterns`].
    Patterns,
    /// [`Settings::detect`].
    Detect,
    /// [`Settings::emails`].
    Emails,
}

impl Settings<'_> {
    /// The rules, and what is wrong with the settings: each costs only itself.
    pub fn rules(&self) -> (Rules, Vec<(Setting, String)>) {
        let mut wrong = Vec::new();
        let mut rules = listed(self.keys).fold(Rules::default(), Rules::key);
        rules = listed(self.allow).fold(rules, Rules::allow_key);
        match (self.payloads, Payloads::from_word(self.payloads)) {
            (_, Some(mode)) => rules = rules.payloads(mode),
            ("", None) => {}
            (word, None) => wrong.push((
                Setting::Payloads,
                format!("{word:?} is none of off, metadata, on-error and all; metadata is used"),
            )),
        }
        for word in listed(self.detect) {
            rules = match word.to_ascii_lowercase().as_str() {
                "ssn" => rules.ssn(true),
                "iban" => rules.iban(true),
                "ipv4" => rules.ipv4(true),
                _ => {
                    let text = format!("{word:?} is none of ssn, iban and ipv4; it is left out");
                    wrong.push((Setting::Detect, text));
                    rules
                }
            };
        }
        match self.emails.to_ascii_lowercase().as_str() {
            "" | "on" => {}
            "off" => rules = rules.emails(false),
            word => {
                let text = format!("{word:?} is neither on nor off; addresses are replaced");
                wrong.push((Setting::Emails, text));
            }
        }
        for (at, pattern) in patterns(self.patterns).into_iter().enumerate() {
            let added = match pattern.split_once('=') {
                _ if at >= PATTERNS_MAX => Err(format!("no more than {PATTERNS_MAX} are used")),
                Some((name, regex)) => rules
                    .clone()
                    .pattern(name, regex)
                    .map_err(|error| error.to_string()),
                None => Err(format!("{pattern:?} is not written as name=regex")),
            };
            match added {
                Ok(more) => rules = more,
                Err(why) => {
                    wrong.push((Setting::Patterns, format!("{why}; it is left out")));
                    if at >= PATTERNS_MAX {
                        break;
                    }
                }
            }
        }
        (rules, wrong)
    }
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

/// A comma separates patterns only where another `name=` follows it: `\d{2,4}` has one, too.
fn patterns(text: &str) -> Vec<&str> {
    let begins_pattern = |rest: &str| {
        let name = rest.trim_start();
        let end = name.find(|c: char| !is_of_name(c)).unwrap_or(0);
        end > 0 && name[end..].starts_with('=')
    };
    let mut found = Vec::new();
    for word in text.split_whitespace() {
        let mut start = 0;
        for (comma, _) in word.match_indices(',') {
            if begins_pattern(&word[comma + 1..]) {
                found.push(&word[start..comma]);
                start = comma + 1;
            }
        }
        found.push(&word[start..]);
    }
    found.retain(|pattern| !pattern.is_empty());
    found
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'
}

/// Each is looked for in every text.
const PATTERNS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scrubber;

    #[test]
    fn settings_become_rules_and_bad_ones_cost_only_themselves() {
        let settings = Settings {
            payloads: "some",
            keys: "badge, ",
            patterns: r"order=ORD-\d{4,6},bad=( empty=x* plain loud=loud staff=S\d+",
            detect: "ssn,dna",
            emails: "maybe",
            ..Settings::default()
        };
        let (rules, wrong) = settings.rules();
        let wrong: Vec<_> = wrong
            .iter()
            .map(|(which, why)| format!("{which:?}: {why}"))
            .collect();
        let told = wrong.join("\n");
        for part in [
            "Payloads: \"some\" is none of off, metadata, on-error and all; metadata is used",
            "Detect: \"dna\" is none of ssn, iban and ipv4; it is left out",
            "Emails: \"maybe\" is neither on nor off; addresses are replaced",
            "Patterns: cannot use the scrub pattern bad: ",
            "Patterns: cannot use the scrub pattern empty: it matches the empty text; it is left out",
            "Patterns: cannot use the scrub pattern loud: it matches [loud], which would stand for what it found; it is left out",
            "Patterns: \"plain\" is not written as name=regex; it is left out",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
        assert_eq!(wrong.len(), 7);
        assert!(wrong.iter().all(|line| line.lines().count() == 1), "{told}");
        let mut scrubber = Scrubber::new(rules);
        assert_eq!(
            scrubber
                .text("ORD-12345 078-05-1120 badge=7x S12 ann@example.com")
                .split(" [email")
                .next(),
            Some("[order] [ssn] badge=[redacted] [staff]")
        );
    }

    #[test]
    fn there_are_not_too_many_patterns() {
        let many: Vec<_> = (0..100).map(|n| format!("p{n}=x{n}y")).collect();
        let many = many.join(",");
        let (rules, wrong) = Settings {
            patterns: &many,
            ..Settings::default()
        }
        .rules();
        assert_eq!(rules.patterns.len(), PATTERNS_MAX);
        assert_eq!(wrong.len(), 1);
    }
}
