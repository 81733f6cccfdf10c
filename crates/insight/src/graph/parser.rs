//! Tokens to a query: a recursive descent, one function for each rule.

mod expression;
mod pattern;

use super::lexer::{Placed, Token, tokens};
use super::mistake::{Fault, Place};
use super::syntax::{Item, Name, Query, Sort, Times};

/// What a text asks.
pub(super) fn parse(text: &str) -> Result<Query, Fault> {
    let tokens = tokens(text)?;
    let mut parser = Parser {
        text,
        tokens,
        at: 0,
        depth: 0,
        operators: 0,
    };
    parser.query()
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Placed>,
    at: usize,
    /// How many expressions are around this one.
    depth: usize,
    /// How many operators there are, which is how deep a chain of them may be.
    operators: usize,
}

impl Parser<'_> {
    fn query(&mut self) -> Result<Query, Fault> {
        self.refuse_others()?;
        if !self.is_word("MATCH") {
            let what = "a query begins with MATCH, such as MATCH (f:Function) RETURN f.name";
            return Err(self.fault(what));
        }
        let (mut patterns, mut conditions) = (Vec::new(), Vec::new());
        while self.take_word("MATCH") {
            loop {
                patterns.push(self.pattern()?);
                if !self.take_sign(",") {
                    break;
                }
            }
            if self.take_word("WHERE") {
                conditions.push(self.expression()?);
            }
            self.refuse_others()?;
        }
        if !self.take_word("RETURN") {
            return Err(self.expected("RETURN, and what is wanted"));
        }
        let mut query = Query {
            patterns,
            conditions,
            is_distinct: self.take_word("DISTINCT"),
            items: self.items()?,
            order: Vec::new(),
            skip: 0,
            limit: None,
            during: None,
            compared: None,
        };
        self.clauses(&mut query)?;
        Ok(query)
    }

    fn items(&mut self) -> Result<Vec<Item>, Fault> {
        if self.is_sign("*") {
            return Err(self.fault("name what is wanted: RETURN * is not in this subset"));
        }
        let mut items: Vec<Item> = Vec::new();
        loop {
            let from = self.place().start;
            let what = self.expression()?;
            let written = self.text[from..what.place.end.max(from)].trim();
            let mut name = written.split_whitespace().collect::<Vec<_>>().join(" ");
            let mut place = what.place.clone();
            if self.take_word("AS") {
                let said = self.name("a name for the column")?;
                (name, place) = (said.text, said.place);
            }
            if items.iter().any(|item| item.name == name) {
                let what = format!("`{name}` is returned twice: name one of them with AS");
                return Err(Fault::new(what, &place));
            }
            items.push(Item { what, name });
            if items.len() > ITEMS_MAX {
                let what = format!("at most {ITEMS_MAX} columns are returned");
                return Err(Fault::new(what, &place));
            }
            if !self.take_sign(",") {
                return Ok(items);
            }
        }
    }

    /// What stands behind RETURN, in any order, each once.
    fn clauses(&mut self, query: &mut Query) -> Result<(), Fault> {
        let mut seen: Vec<&str> = Vec::new();
        loop {
            self.refuse_others()?;
            let place = self.place();
            let Some(clause) = CLAUSES.iter().find(|clause| self.is_word(clause)) else {
                return match self.token() {
                    Token::End => Ok(()),
                    _ => {
                        Err(self
                            .expected("the end, or ORDER BY, SKIP, LIMIT, DURING or COMPARED TO"))
                    }
                };
            };
            self.at += 1;
            if seen.contains(clause) {
                return Err(Fault::new(format!("{clause} stands there twice"), &place));
            }
            seen.push(clause);
            match *clause {
                "ORDER" => {
                    self.expect_word("BY")?;
                    query.order = self.order()?;
                }
                "SKIP" => query.skip = self.count("how many rows to leave out")?,
                "LIMIT" => query.limit = Some(self.count("how many rows at most")?),
                "DURING" => query.during = Some(self.times()?),
                _ => {
                    self.expect_word("TO")?;
                    query.compared = Some(self.times()?);
                }
            }
        }
    }

    fn order(&mut self) -> Result<Vec<Sort>, Fault> {
        let mut order = Vec::new();
        loop {
            let by = self.expression()?;
            let is_descending = self.take_word("DESC") || self.take_word("DESCENDING");
            if !is_descending && !self.take_word("ASC") {
                self.take_word("ASCENDING");
            }
            order.push(Sort { by, is_descending });
            if !self.take_sign(",") {
                return Ok(order);
            }
        }
    }

    fn count(&mut self, what: &str) -> Result<usize, Fault> {
        let found = match self.token() {
            Token::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        };
        let found = found.ok_or_else(|| self.expected(what))?;
        self.at += 1;
        Ok(found)
    }

    /// `'last night'`, or `'last night 21:30'..'22:30'`.
    fn times(&mut self) -> Result<Times, Fault> {
        let from = self.place();
        let first = self.time()?;
        let to = match self.take_sign("..") {
            true => Some(self.time()?),
            false => None,
        };
        Ok(Times {
            from: first,
            to,
            place: from.start..self.tokens[self.at.saturating_sub(1)].place.end,
        })
    }

    fn time(&mut self) -> Result<String, Fault> {
        let Token::Text(text) = self.token() else {
            return Err(self.expected("a time between quotes, such as 'last 1h' or 'yesterday'"));
        };
        let text = text.clone();
        self.at += 1;
        Ok(text)
    }

    /// What Cypher has and this subset has not.
    fn refuse_others(&self) -> Result<(), Fault> {
        let Token::Word(word) = self.token() else {
            return Ok(());
        };
        let word = word.to_uppercase();
        if WRITES.contains(&word.as_str()) {
            let what = format!(
                "{word} would write: the graph is derived from what was seen, and only read"
            );
            return Err(self.fault(&what));
        }
        if ABSENT.contains(&word.as_str()) {
            let what = format!(
                "{word} is not in this subset: MATCH, WHERE, RETURN, ORDER BY, SKIP, LIMIT, DURING and COMPARED TO are"
            );
            return Err(self.fault(&what));
        }
        Ok(())
    }

    fn token(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)].token
    }

    fn behind(&self, by: usize) -> &Token {
        let at = (self.at + by).min(self.tokens.len() - 1);
        &self.tokens[at].token
    }

    fn place(&self) -> Place {
        self.tokens[self.at.min(self.tokens.len() - 1)]
            .place
            .clone()
    }

    /// Where what was taken last ends.
    fn end(&self) -> usize {
        self.tokens[self.at.saturating_sub(1)].place.end
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.token(), Token::Sign(found) if *found == sign)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let is_it = self.is_sign(sign);
        self.at += usize::from(is_it);
        is_it
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), Fault> {
        match self.take_sign(sign) {
            true => Ok(()),
            false => Err(self.expected(&format!("`{sign}`"))),
        }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.token(), Token::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_it = self.is_word(word);
        self.at += usize::from(is_it);
        is_it
    }

    fn expect_word(&mut self, word: &str) -> Result<(), Fault> {
        match self.take_word(word) {
            true => Ok(()),
            false => Err(self.expected(word)),
        }
    }

    fn name(&mut self, what: &str) -> Result<Name, Fault> {
        let text = match self.token() {
            Token::Word(text) | Token::Quoted(text) => text.clone(),
            _ => return Err(self.expected(what)),
        };
        let place = self.place();
        self.at += 1;
        Ok(Name { text, place })
    }

    fn fault(&self, what: &str) -> Fault {
        Fault::new(what, &self.place())
    }

    fn expected(&self, what: &str) -> Fault {
        let found = match self.token() {
            Token::End => "the query ends".to_owned(),
            _ => {
                let written: String = self.text[self.place()].chars().take(40).collect();
                format!("`{written}` stands there")
            }
        };
        self.fault(&format!("expected {what}, but {found}"))
    }
}

const CLAUSES: &[&str] = &["ORDER", "SKIP", "LIMIT", "DURING", "COMPARED"];
const WRITES: &[&str] = &[
    "CREATE", "MERGE", "SET", "DELETE", "DETACH", "REMOVE", "DROP", "INSERT", "FOREACH", "LOAD",
];
const ABSENT: &[&str] = &[
    "OPTIONAL", "WITH", "UNWIND", "UNION", "CALL", "USE", "LET", "FILTER", "HAVING", "GROUP",
    "SELECT",
];
const ITEMS_MAX: usize = 50;
