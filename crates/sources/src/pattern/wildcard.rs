//! Text with stars in it.

/// `*` stands for any text; `\*` and `\\` for themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wildcard {
    /// What must come one after the other; between any two lies a star.
    parts: Vec<String>,
}

impl Wildcard {
    pub(super) fn new(text: &str) -> Result<Self, &'static str> {
        let mut parts = vec![String::new()];
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let last = parts.len() - 1;
            match character {
                '*' if parts.len() > 1 && parts[last].is_empty() => {
                    return Err("two stars in a row");
                }
                '*' => parts.push(String::new()),
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '\\')) => parts[last].push(escaped),
                    _ => return Err("a backslash stands before a star or a backslash only"),
                },
                other => parts[last].push(other),
            }
        }
        Ok(Self { parts })
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.parts.split_first() else {
            return false;
        };
        let Some((last, middle)) = rest.split_last() else {
            return text == first;
        };
        let Some(mut text) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        for part in middle {
            match text.find(part.as_str()) {
                Some(at) => text = &text[at + part.len()..],
                None => return false,
            }
        }
        text.ends_with(last.as_str())
    }
}
