//! A query's text to tokens.

use super::mistake::{Fault, Place};

/// What stands between blanks.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword, as it was written.
    Word(String),
    /// A name between backticks, which is no keyword.
    Quoted(String),
    Text(String),
    Int(i64),
    Float(f64),
    /// A sign, of one character or two.
    Sign(&'static str),
    End,
}

/// A token, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) place: Place,
}

/// All tokens, the last of which is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, Fault> {
    if text.len() > QUERY_BYTES_MAX {
        let what = format!("a query has at most {QUERY_BYTES_MAX} bytes");
        return Err(Fault::new(what, &(0..0)));
    }
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.blanks()?;
        let from = lexer.at;
        let token = lexer.next()?;
        let is_end = token == Token::End;
        let place = from..lexer.at;
        tokens.push(Placed { token, place });
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes over as much as this holds for.
    fn run(&mut self, holds: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c: char| !holds(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Blanks and comments.
    fn blanks(&mut self) -> Result<(), Fault> {
        loop {
            self.run(char::is_whitespace);
            let from = self.at;
            if self.rest().starts_with("//") {
                self.run(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                let Some(end) = self.rest().find("*/") else {
                    let what = "this comment does not end: `*/` is missing";
                    return Err(Fault::new(what, &(from..from)));
                };
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Result<Token, Fault> {
        let Some(first) = self.peek() else {
            return Ok(Token::End);
        };
        if first.is_alphabetic() || first == '_' {
            let word = self.run(|c| c.is_alphanumeric() || c == '_');
            return Ok(Token::Word(word.to_owned()));
        }
        if first.is_ascii_digit() {
            return self.number();
        }
        if matches!(first, '\'' | '"' | '`') {
            return self.quoted(first);
        }
        let sign = SIGNS.iter().find(|sign| self.rest().starts_with(**sign));
        let Some(sign) = sign else {
            let what = match first {
                '$' => "there are no parameters: write the value itself".to_owned(),
                ';' => "one query at a time, without a semicolon".to_owned(),
                _ => format!("`{}` means nothing here", first.escape_debug()),
            };
            return Err(Fault::new(what, &(self.at..self.at)));
        };
        self.at += sign.len();
        Ok(Token::Sign(sign))
    }

    fn number(&mut self) -> Result<Token, Fault> {
        let from = self.at;
        let is_digit = |c: char| c.is_ascii_digit();
        self.run(is_digit);
        let mut is_float = false;
        // `1..6` is a range.
        let mut behind = self.rest().chars();
        if behind.next() == Some('.') && behind.next().is_some_and(is_digit) {
            is_float = true;
            self.at += 1;
            self.run(is_digit);
        }
        if let Some(rest) = self.rest().strip_prefix(['e', 'E']) {
            let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            if digits.starts_with(is_digit) {
                is_float = true;
                self.at += self.rest().len() - digits.len();
                self.run(is_digit);
            }
        }
        let written = &self.text[from..self.at];
        let number = match is_float {
            true => written
                .parse()
                .ok()
                .filter(|it: &f64| it.is_finite())
                .map(Token::Float),
            false => written.parse().ok().map(Token::Int),
        };
        let too_large = || Fault::new(format!("{written} is too large"), &(from..from));
        number.ok_or_else(too_large)
    }

    fn quoted(&mut self, quote: char) -> Result<Token, Fault> {
        let from = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(next) = self.peek() else {
                let what = format!("this text does not end: `{quote}` is missing");
                return Err(Fault::new(what, &(from..from)));
            };
            self.at += next.len_utf8();
            match next {
                _ if next == quote && self.peek() == Some(quote) => {
                    self.at += 1;
                    text.push(quote);
                }
                _ if next == quote => break,
                '\\' if quote != '`' => {
                    let escaped = self.peek().unwrap_or('\\');
                    self.at += self.peek().map_or(0, char::len_utf8);
                    text.push(match escaped {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        other => other,
                    });
                }
                _ => text.push(next),
            }
        }
        Ok(match quote {
            '`' => Token::Quoted(text),
            _ => Token::Text(text),
        })
    }
}

/// Longer ones first.
const SIGNS: &[&str] = &[
    "..", "<>", "<=", ">=", "=~", "!=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|", "*", "+",
    "-", "/", "%", "=", "<", ">", "&", "!",
];
pub(super) const QUERY_BYTES_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[Token]) {
        let found: Vec<Token> = tokens(text)
            .unwrap()
            .into_iter()
            .map(|it| it.token)
            .collect();
        assert_eq!(found[..found.len() - 1], *expect);
    }

    #[test]
    fn numbers_and_ranges_are_told_apart() {
        let (one, six) = (Token::Int(1), Token::Int(6));
        check("1..6", &[one.clone(), Token::Sign(".."), six.clone()]);
        check("*..6", &[Token::Sign("*"), Token::Sign(".."), six]);
        check("1.5e3 .", &[Token::Float(1500.0), Token::Sign(".")]);
        check("1e", &[one, Token::Word("e".to_owned())]);
    }

    #[test]
    fn texts_have_escapes_and_names_backticks() {
        check(
            r"'it\'s' 'it''s'",
            &[
                Token::Text("it's".to_owned()),
                Token::Text("it's".to_owned()),
            ],
        );
        check("`a b`", &[Token::Quoted("a b".to_owned())]);
        check(
            "Δp99 // all\n/* of */ it",
            &[Token::Word("Δp99".to_owned()), Token::Word("it".to_owned())],
        );
    }

    #[test]
    fn what_means_nothing_is_pointed_at() {
        for (text, what, at) in [
            ("a $b", "there are no parameters: write the value itself", 2),
            ("a 'b", "this text does not end: `'` is missing", 2),
            ("a /* b", "this comment does not end: `*/` is missing", 2),
            (
                "99999999999999999999",
                "99999999999999999999 is too large",
                0,
            ),
            ("a § b", "`§` means nothing here", 2),
        ] {
            let fault = tokens(text).unwrap_err();
            assert_eq!((fault.what.as_str(), fault.at), (what, at), "{text}");
        }
    }
}
