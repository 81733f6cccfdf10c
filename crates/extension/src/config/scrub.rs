//! What is taken out of whatever leaves.

use throughline_scrub::{Rules, Setting, Settings};

use super::{API_KEY, API_KEY_PARAMETER, API_KEY_SECRET, Key, Problem, RawConfig, key};

pub(super) const PAYLOADS: &Key = &key(
    "THROUGHLINE_PAYLOADS",
    Some("metadata"),
    "how much leaves of what the function was called with and answered: off, metadata, on-error, all",
);
pub(super) const KEYS: &Key = &key(
    "THROUGHLINE_SCRUB_KEYS",
    None,
    "further names whose values are secret, with commas between them",
);
pub(super) const ALLOW: &Key = &key(
    "THROUGHLINE_SCRUB_ALLOW",
    None,
    "names whose values are not secret, with commas between them",
);
pub(super) const PATTERNS: &Key = &key(
    "THROUGHLINE_SCRUB_PATTERNS",
    None,
    "texts that are secret, as name=regex with spaces between them",
);
pub(super) const DETECT: &Key = &key(
    "THROUGHLINE_SCRUB_DETECT",
    None,
    "what else is looked for, with commas between: ssn, iban, ipv4",
);
pub(super) const EMAILS: &Key = &key(
    "THROUGHLINE_SCRUB_EMAILS",
    Some("on"),
    "off leaves e-mail addresses as they are",
);

/// The rules; what is wrong with one of them costs only itself.
pub(super) fn rules(raw: &RawConfig, problems: &mut Vec<Problem>) -> Rules {
    let texts = [PAYLOADS, KEYS, ALLOW, PATTERNS, DETECT, EMAILS].map(|key| raw.text(key));
    let [payloads, keys, allow, patterns, detect, emails] = &texts;
    let settings = Settings {
        payloads,
        keys,
        allow,
        patterns,
        detect,
        emails,
    };
    let (rules, wrong) = settings.rules();
    problems.extend(wrong.into_iter().map(|(setting, why)| {
        let key = match setting {
            Setting::Payloads => PAYLOADS,
            Setting::Patterns => PATTERNS,
            Setting::Detect => DETECT,
            Setting::Emails => EMAILS,
        };
        Problem(format!("{}: {why}", raw.name_in_use(key)))
    }));
    // Known to the senders of one account and to nobody else. A key that lies elsewhere is not known
    // yet; then the name stands for it, which is at least not the same for everybody.
    let key = [API_KEY, API_KEY_SECRET, API_KEY_PARAMETER];
    let secret = key.map(|key| raw.text(key)).concat();
    rules.hash_key((
        crate::ids::hash(&["scrub", &secret]),
        crate::ids::hash(&[&secret, "scrub"]),
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use throughline_scrub::Scrubber;

    #[test]
    fn bad_rules_are_told_in_one_line_and_the_rest_applies() {
        let variables = [
            ("THROUGHLINE_PAYLOADS", "everything"),
            ("THROUGHLINE_SCRUB_KEYS", "badge"),
            ("THROUGHLINE_SCRUB_PATTERNS", r"order=ORD-\d+ bad=("),
            ("THROUGHLINE_SCRUB_EMAILS", "off"),
        ];
        let source: BTreeMap<&str, &str> = variables.into_iter().collect();
        let raw = RawConfig::read(&source);
        let mut problems = Vec::new();
        let mut scrubber = Scrubber::new(rules(&raw, &mut problems));
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            told[0],
            "THROUGHLINE_PAYLOADS: \"everything\" is none of off, metadata, on-error and all; metadata is used"
        );
        assert!(
            told[1].starts_with("THROUGHLINE_SCRUB_PATTERNS: cannot use the scrub pattern bad: ")
        );
        assert!(told.len() == 2 && told[1].lines().count() == 1, "{told:?}");
        assert_eq!(
            scrubber.text("ORD-1 badge=2x ann@example.com"),
            "[order] badge=[redacted] ann@example.com"
        );
    }
}
