//! Which name somebody means, by what they call it.

use std::collections::BTreeMap;

/// Something that can be asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Its id on the map, `kind:name`.
    pub node: String,
    /// What else it is called: its service, its route.
    pub aliases: Vec<String>,
}

/// What may be meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The id of the node.
    pub node: String,
    /// How well the words fit, 0 to 1: 1 is its very name.
    pub score: f64,
    /// The words, as they were written.
    pub words: String,
}

impl Name {
    /// One without other names.
    pub fn of(node: &str) -> Self {
        Name {
            node: node.to_owned(),
            aliases: Vec::new(),
        }
    }

    fn kind(&self) -> &str {
        self.node.split_once(':').map_or("", |(kind, _)| kind)
    }

    fn own(&self) -> &str {
        self.node.split_once(':').map_or(&self.node, |(_, own)| own)
    }
}

/// The names that fit, the best first; of those that fit as well what was said first, and functions before others.
pub(super) fn candidates(subjects: &[String], names: &[Name]) -> Vec<Candidate> {
    let mut best: BTreeMap<&str, (f64, usize, String)> = BTreeMap::new();
    for (place, said) in phrases(subjects).into_iter().enumerate() {
        let words = Words::of(&said);
        for name in names {
            let score = score(&said, &words, name);
            let known = best.get(name.node.as_str()).map_or(0.0, |known| known.0);
            if score >= SCORE_MIN && score > known {
                best.insert(&name.node, (score, place, said.clone()));
            }
        }
    }
    let mut found: Vec<(&str, (f64, usize, String))> = best.into_iter().collect();
    found.sort_by(|(a, (score_a, place_a, _)), (b, (score_b, place_b, _))| {
        let is_function = |node: &str| !node.starts_with("function:");
        let later = (place_a, is_function(a), a).cmp(&(place_b, is_function(b), b));
        score_b.total_cmp(score_a).then(later)
    });
    found.truncate(CANDIDATES_MAX);
    let found = found
        .into_iter()
        .map(|(node, (score, _, words))| Candidate {
            node: node.to_owned(),
            score,
            words,
        });
    found.collect()
}

/// Every run of words that stand together, in the order of the sentence and the long ones first.
fn phrases(subjects: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for subject in subjects.iter().take(SUBJECTS_MAX) {
        let words: Vec<&str> = subject.split_whitespace().take(WORDS_MAX).collect();
        for length in (1..=words.len()).rev() {
            all.extend(words.windows(length).map(|run| run.join(" ")));
        }
    }
    all
}

/// The words of a name: `orderTable-2` is order, table and 2; what says of which kind it is stands apart.
struct Words {
    own: Vec<String>,
    kind: Option<&'static str>,
}

impl Words {
    fn of(text: &str) -> Self {
        let all = split(text);
        let kind = all.iter().find_map(|word| kind_of(word));
        let own: Vec<String> = all
            .iter()
            .filter(|word| kind_of(word).is_none())
            .cloned()
            .collect();
        match own.is_empty() {
            // A queue that is called queue.
            true => Words {
                own: all,
                kind: None,
            },
            false => Words { own, kind },
        }
    }
}

fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_lower = false;
    let mut begins = true;
    for character in text.chars() {
        if !character.is_alphanumeric() {
            begins = true;
            continue;
        }
        if begins || is_lower && character.is_uppercase() {
            words.push(String::new());
        }
        is_lower = character.is_lowercase() || character.is_numeric();
        begins = false;
        if let Some(word) = words.last_mut() {
            word.extend(character.to_lowercase());
        }
    }
    for word in &mut words {
        if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
            word.pop();
        }
    }
    words
}

/// The kind that a word is for, in the plural too.
pub(super) fn kind_of_word(word: &str) -> Option<&'static str> {
    match &split(word)[..] {
        [only] => kind_of(only),
        _ => None,
    }
}

fn kind_of(word: &str) -> Option<&'static str> {
    let kind = match word {
        "function" | "lambda" | "handler" => "function",
        "service" | "svc" => "service",
        "table" => "table",
        "queue" => "queue",
        "topic" => "topic",
        "bus" => "bus",
        "stream" => "stream",
        "bucket" => "bucket",
        "database" | "db" => "database",
        "cache" => "cache",
        "host" => "host",
        _ => return None,
    };
    Some(kind)
}

fn score(said: &str, words: &Words, name: &Name) -> f64 {
    if said.eq_ignore_ascii_case(&name.node) {
        return 1.0;
    }
    let aliases = name.aliases.iter();
    let all = std::iter::once((name.own(), 1.0)).chain(aliases.map(|it| (it.as_str(), ALIAS)));
    let fit = all
        .map(|(own, worth)| worth * likeness(said, words, own))
        .fold(0.0, f64::max);
    let of_kind = match words.kind {
        Some(kind) if kind == name.kind() => OF_KIND,
        // Whatever answers is called a service.
        Some("service") => 0.0,
        Some(_) if !said.eq_ignore_ascii_case(name.own()) => -OTHER_KIND,
        _ => 0.0,
    };
    (fit + of_kind).min(VERY_NAME.max(fit))
}

/// How like a name what was said is, 0 to 1.
#[allow(clippy::cast_precision_loss)] // words of a name
fn likeness(said: &str, words: &Words, own: &str) -> f64 {
    if said.eq_ignore_ascii_case(own) {
        return VERY_NAME;
    }
    let name = Words::of(own);
    let (asked, known) = (words.own.concat(), name.own.concat());
    if asked.is_empty() || known.is_empty() {
        return 0.0;
    }
    if asked == known {
        return SAME_WORDS;
    }
    let covered =
        words.own.len().min(name.own.len()) as f64 / words.own.len().max(name.own.len()) as f64;
    if words.own.iter().all(|word| name.own.contains(word)) {
        return PART + (SAME_WORDS - PART - 0.05) * covered;
    }
    let begins = words.own.iter().map(|word| {
        let likes = name.own.iter().map(|other| beginning(word, other));
        likes.fold(0.0, f64::max)
    });
    let least = begins.fold(1.0, f64::min);
    let beginning = match least > 0.0 {
        true => BEGINNING + (PART - BEGINNING) * least * covered,
        false => 0.0,
    };
    let typed = strsim::normalized_damerau_levenshtein(&asked, &known);
    let typo = match typed >= TYPO_MIN {
        true => typed * TYPO,
        false => 0.0,
    };
    beginning.max(typo)
}

/// How much of the longer word the shorter one is, if it is its beginning.
#[allow(clippy::cast_precision_loss)] // letters of a word
fn beginning(one: &str, other: &str) -> f64 {
    let (short, long) = match one.len() <= other.len() {
        true => (one, other),
        false => (other, one),
    };
    match short.len() >= BEGINNING_LETTERS && long.starts_with(short) {
        true => short.len() as f64 / long.len() as f64,
        false => 0.0,
    }
}

/// What fits less is not meant.
const SCORE_MIN: f64 = 0.45;
const CANDIDATES_MAX: usize = 10;
/// Runs of words of a sentence, and words of each.
const SUBJECTS_MAX: usize = 20;
const WORDS_MAX: usize = 8;
const VERY_NAME: f64 = 1.0;
const SAME_WORDS: f64 = 0.95;
const PART: f64 = 0.6;
const BEGINNING: f64 = 0.5;
const BEGINNING_LETTERS: usize = 3;
const TYPO: f64 = 0.8;
const TYPO_MIN: f64 = 0.7;
const ALIAS: f64 = 0.98;
const OF_KIND: f64 = 0.04;
const OTHER_KIND: f64 = 0.1;
