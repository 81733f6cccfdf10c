//! A sentence in words, of which each is understood once.

/// The words of a sentence.
pub(super) struct Words {
    text: String,
    words: Vec<Word>,
}

struct Word {
    /// In small letters, without what stands around it.
    text: String,
    /// Where it stands in the sentence, with that.
    from: usize,
    to: usize,
    is_used: bool,
    is_quoted: bool,
}

impl Words {
    pub(super) fn of(text: &str) -> Self {
        let mut words = Vec::new();
        let mut from = None;
        let mut quote = None;
        let ends = text
            .char_indices()
            .chain(std::iter::once((text.len(), ' ')));
        for (at, character) in ends {
            let begins = from.is_none() && QUOTES.contains(&character);
            let ends = match quote {
                Some(quote) => character == quote || at == text.len(),
                None => character.is_whitespace() || BREAKS.contains(&character),
            };
            if begins && quote.is_none() {
                quote = Some(character);
                from = Some(at + character.len_utf8());
            } else if ends {
                let is_quoted = quote.take().is_some();
                if let Some(from) = from.take() {
                    words.extend(Word::of(text, from, at, is_quoted));
                }
            } else if from.is_none() {
                from = Some(at);
            }
        }
        Words {
            text: text.to_owned(),
            words,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The word of this place, if nobody has understood it yet; empty beyond the end.
    pub(super) fn at(&self, place: usize) -> &str {
        match self.words.get(place) {
            Some(word) if !word.is_used && !word.is_quoted => &word.text,
            _ => "",
        }
    }

    /// The words of a sentence as they were written.
    pub(super) fn written(&self, from: usize, to: usize) -> &str {
        let place = |at: usize| self.words.get(at);
        match (place(from), place(to.saturating_sub(1))) {
            (Some(first), Some(last)) => self.text[first.from..last.to.max(first.from)].trim(),
            _ => "",
        }
    }

    pub(super) fn take(&mut self, from: usize, to: usize) {
        for word in &mut self.words[from..to] {
            word.is_used = true;
        }
    }

    /// Where a phrase stands.
    pub(super) fn find(&self, phrase: &str) -> Option<(usize, usize)> {
        let length = phrase.split(' ').count();
        (0..self.len()).find_map(|from| {
            let is_there = phrase
                .split(' ')
                .enumerate()
                .all(|(at, word)| self.at(from + at) == word);
            is_there.then_some((from, from + length))
        })
    }

    /// Takes the first of the phrases that is there.
    pub(super) fn take_any(&mut self, phrases: &[&str]) -> Option<(usize, usize)> {
        let found = phrases.iter().find_map(|phrase| self.find(phrase))?;
        self.take(found.0, found.1);
        Some(found)
    }

    /// What nobody has understood and what is not just grammar; words that stand side by side are one.
    pub(super) fn rest(&self) -> Vec<String> {
        let mut rest: Vec<String> = Vec::new();
        let mut joins = false;
        for word in &self.words {
            let is_grammar = !word.is_quoted && GRAMMAR.contains(&word.text.as_str());
            if word.is_used || is_grammar {
                joins = false;
                continue;
            }
            match rest.last_mut().filter(|_| joins && !word.is_quoted) {
                Some(last) => {
                    last.push(' ');
                    last.push_str(&self.text[word.from..word.to]);
                }
                None => rest.push(self.text[word.from..word.to].to_owned()),
            }
            joins = !word.is_quoted;
        }
        rest
    }
}

impl Word {
    fn of(text: &str, from: usize, to: usize, is_quoted: bool) -> Option<Self> {
        let whole = &text[from..to];
        let kept = match is_quoted {
            true => whole.trim(),
            false => {
                let kept = whole.trim_matches(|it: char| EDGES.contains(&it));
                kept.strip_suffix("'s")
                    .or_else(|| kept.strip_suffix("’s"))
                    .unwrap_or(kept)
            }
        };
        // Where the kept part begins, as it is a part of the whole.
        let from = from + whole.find(kept)?;
        (!kept.is_empty()).then(|| Word {
            text: kept.to_lowercase(),
            from,
            to: from + kept.len(),
            is_used: false,
            is_quoted,
        })
    }
}

const QUOTES: &[char] = &['"', '`', '“', '”', '\'', '‘'];
const BREAKS: &[char] = &[',', ';', '?', '!', '(', ')', '"', '`', '“', '”'];
const EDGES: &[char] = &['.', ':', '\'', '’', '-', '/', '*', '<', '>'];
/// Words of sentences that name nothing.
const GRAMMAR: &[&str] = &[
    "a",
    "about",
    "after",
    "all",
    "an",
    "and",
    "any",
    "anything",
    "are",
    "around",
    "as",
    "at",
    "be",
    "because",
    "been",
    "before",
    "being",
    "but",
    "by",
    "can",
    "cause",
    "caused",
    "causes",
    "check",
    "complain",
    "complained",
    "could",
    "did",
    "do",
    "does",
    "during",
    "else",
    "every",
    "everything",
    "find",
    "for",
    "from",
    "get",
    "gets",
    "getting",
    "go",
    "goes",
    "going",
    "got",
    "had",
    "happen",
    "happened",
    "happening",
    "has",
    "have",
    "how",
    "i",
    "if",
    "in",
    "into",
    "investigate",
    "is",
    "it",
    "its",
    "kept",
    "look",
    "looked",
    "many",
    "me",
    "more",
    "most",
    "much",
    "my",
    "not",
    "of",
    "on",
    "or",
    "our",
    "out",
    "please",
    "really",
    "reason",
    "seem",
    "seemed",
    "seems",
    "show",
    "since",
    "so",
    "some",
    "something",
    "started",
    "starting",
    "still",
    "suddenly",
    "tell",
    "than",
    "that",
    "the",
    "their",
    "them",
    "then",
    "there",
    "they",
    "thing",
    "things",
    "this",
    "to",
    "too",
    "until",
    "up",
    "us",
    "users",
    "very",
    "was",
    "we",
    "went",
    "were",
    "what",
    "when",
    "where",
    "which",
    "while",
    "who",
    "why",
    "will",
    "with",
    "would",
    "you",
    "your",
];
