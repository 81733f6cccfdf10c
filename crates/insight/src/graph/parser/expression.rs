//! What stands in WHERE, RETURN and ORDER BY, weaker operators first.

use super::Parser;
use crate::graph::lexer::Token;
use crate::graph::mistake::Fault;
use crate::graph::syntax::{Expr, ExprKind, Operator};
use crate::graph::value::Value;

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expr, Fault> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let what = format!("expressions are at most {DEPTH_MAX} deep");
            return Err(self.fault(&what));
        }
        let found = self.or();
        self.depth -= 1;
        found
    }

    fn or(&mut self) -> Result<Expr, Fault> {
        let mut left = self.and()?;
        loop {
            let operator = match () {
                () if self.take_word("OR") => Operator::Or,
                () if self.take_word("XOR") => Operator::Xor,
                () => return Ok(left),
            };
            left = self.binary(operator, left, Self::and)?;
        }
    }

    fn and(&mut self) -> Result<Expr, Fault> {
        let mut left = self.not()?;
        while self.take_word("AND") {
            left = self.binary(Operator::And, left, Self::not)?;
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, Fault> {
        let from = self.place().start;
        let mut nots = 0;
        while self.take_word("NOT") {
            nots += 1;
        }
        let of = self.comparison()?;
        Ok(match nots % 2 {
            0 => of,
            _ => self.made(from, ExprKind::Not(Box::new(of))),
        })
    }

    fn comparison(&mut self) -> Result<Expr, Fault> {
        let from = self.place().start;
        let mut left = self.sum()?;
        let mut is_compared = false;
        loop {
            if self.take_word("IS") {
                self.count_operator()?;
                let is_null = !self.take_word("NOT");
                self.expect_word("NULL")?;
                left = self.made(from, ExprKind::IsNull(Box::new(left), is_null));
                continue;
            }
            let place = self.place();
            let Some(operator) = self.comparing()? else {
                return Ok(left);
            };
            if is_compared {
                let what = "compare two at a time, and join them with AND";
                return Err(Fault::new(what, &place));
            }
            is_compared = true;
            left = self.binary(operator, left, Self::sum)?;
        }
    }

    fn comparing(&mut self) -> Result<Option<Operator>, Fault> {
        let signs = [
            ("=", Operator::Equal),
            ("<>", Operator::NotEqual),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        for (sign, operator) in signs {
            if self.take_sign(sign) {
                return Ok(Some(operator));
            }
        }
        if self.is_sign("=~") {
            let what =
                "there are no regular expressions: STARTS WITH, ENDS WITH and CONTAINS are there";
            return Err(self.fault(what));
        }
        if self.take_word("IN") {
            return Ok(Some(Operator::In));
        }
        if self.take_word("CONTAINS") {
            return Ok(Some(Operator::Contains));
        }
        let both = [
            ("STARTS", Operator::StartsWith),
            ("ENDS", Operator::EndsWith),
        ];
        for (word, operator) in both {
            if self.take_word(word) {
                self.expect_word("WITH")?;
                return Ok(Some(operator));
            }
        }
        Ok(None)
    }

    fn sum(&mut self) -> Result<Expr, Fault> {
        let mut left = self.product()?;
        loop {
            let operator = match () {
                () if self.take_sign("+") => Operator::Add,
                () if self.take_sign("-") => Operator::Subtract,
                () => return Ok(left),
            };
            left = self.binary(operator, left, Self::product)?;
        }
    }

    fn product(&mut self) -> Result<Expr, Fault> {
        let mut left = self.unary()?;
        loop {
            let operator = match () {
                () if self.take_sign("*") => Operator::Multiply,
                () if self.take_sign("/") => Operator::Divide,
                () if self.take_sign("%") => Operator::Remainder,
                () => return Ok(left),
            };
            left = self.binary(operator, left, Self::unary)?;
        }
    }

    fn unary(&mut self) -> Result<Expr, Fault> {
        let from = self.place().start;
        let mut is_negative = false;
        while self.is_sign("-") || self.is_sign("+") {
            is_negative ^= self.take_sign("-");
            self.take_sign("+");
        }
        let of = self.behind_it()?;
        Ok(match is_negative {
            true => match of.kind {
                ExprKind::Literal(Value::Int(number)) => {
                    self.made(from, ExprKind::Literal(Value::Int(-number)))
                }
                ExprKind::Literal(Value::Float(number)) => {
                    self.made(from, ExprKind::Literal(Value::Float(-number)))
                }
                _ => self.made(from, ExprKind::Negate(Box::new(of))),
            },
            false => of,
        })
    }

    /// With properties and places of a list behind it.
    fn behind_it(&mut self) -> Result<Expr, Fault> {
        let from = self.place().start;
        let mut of = self.atom()?;
        let mut count = 0;
        loop {
            if self.take_sign(".") {
                let name = self.name("a property, such as name")?;
                of = self.made(from, ExprKind::Property(Box::new(of), name));
            } else if self.take_sign("[") {
                let index = self.expression()?;
                self.expect_sign("]")?;
                of = self.made(from, ExprKind::Index(Box::new(of), Box::new(index)));
            } else {
                return Ok(of);
            }
            count += 1;
            if count > DEPTH_MAX {
                return Err(self.fault("too much stands behind one name"));
            }
        }
    }

    fn atom(&mut self) -> Result<Expr, Fault> {
        let from = self.place().start;
        let kind = match self.token().clone() {
            Token::Int(number) => self.literal(Value::Int(number)),
            Token::Float(number) => self.literal(Value::Float(number)),
            Token::Text(text) => self.literal(Value::text(&text)),
            Token::Quoted(name) => {
                self.at += 1;
                ExprKind::Variable(name)
            }
            Token::Word(word) => return self.word(&word),
            Token::Sign("[") => self.list()?,
            Token::Sign("(") => {
                if let Some(pattern) = self.pattern_here()? {
                    return Ok(pattern);
                }
                self.at += 1;
                let of = self.expression()?;
                self.expect_sign(")")?;
                return Ok(Expr {
                    place: from..self.end(),
                    ..of
                });
            }
            _ => return Err(self.expected(VALUE)),
        };
        Ok(self.made(from, kind))
    }

    fn literal(&mut self, value: Value) -> ExprKind {
        self.at += 1;
        ExprKind::Literal(value)
    }

    fn word(&mut self, word: &str) -> Result<Expr, Fault> {
        let from = self.place().start;
        let constant = match word.to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            "case" => return Err(self.fault("CASE is not in this subset")),
            _ => None,
        };
        if let Some(value) = constant {
            let kind = self.literal(value);
            return Ok(self.made(from, kind));
        }
        if word.eq_ignore_ascii_case("exists") && !matches!(self.behind(1), Token::Sign(".")) {
            return self.exists();
        }
        if RESERVED
            .iter()
            .any(|reserved| word.eq_ignore_ascii_case(reserved))
        {
            return Err(self.expected(VALUE));
        }
        let name = self.name("a name")?;
        if !self.take_sign("(") {
            return Ok(self.made(from, ExprKind::Variable(name.text)));
        }
        if self.take_sign("*") {
            self.expect_sign(")")?;
            if !name.text.eq_ignore_ascii_case("count") {
                let what = format!("there is count(*), but no {}(*)", name.text);
                return Err(Fault::new(what, &name.place));
            }
            return Ok(self.made(from, ExprKind::CountAll));
        }
        let is_distinct = self.take_word("DISTINCT");
        let mut arguments = Vec::new();
        if !self.take_sign(")") {
            loop {
                arguments.push(self.expression()?);
                if !self.take_sign(",") {
                    break;
                }
            }
            self.expect_sign(")")?;
        }
        let call = ExprKind::Call {
            name,
            is_distinct,
            arguments,
        };
        Ok(self.made(from, call))
    }

    /// `exists((a)-->(b))`, `EXISTS { (a)-->(b) }`
    fn exists(&mut self) -> Result<Expr, Fault> {
        let from = self.place().start;
        self.at += 1;
        let end = match () {
            () if self.take_sign("{") => "}",
            () if self.take_sign("(") => ")",
            () => return Err(self.expected("a pattern, such as exists((f)-[:CALLS]->())")),
        };
        if end == "}" {
            self.take_word("MATCH");
        }
        let pattern = self.plain_pattern()?;
        self.expect_sign(end)?;
        Ok(self.made(from, ExprKind::Exists(Box::new(pattern))))
    }

    /// A pattern where a value may stand: whether there is such a thing.
    fn pattern_here(&mut self) -> Result<Option<Expr>, Fault> {
        let begun = self.at;
        let is_pattern = self.node().is_ok() && self.is_arrow();
        self.at = begun;
        if !is_pattern {
            return Ok(None);
        }
        let from = self.place().start;
        let pattern = self.plain_pattern()?;
        Ok(Some(self.made(from, ExprKind::Exists(Box::new(pattern)))))
    }

    fn list(&mut self) -> Result<ExprKind, Fault> {
        self.at += 1;
        let mut items = Vec::new();
        if !self.take_sign("]") {
            loop {
                items.push(self.expression()?);
                if !self.take_sign(",") {
                    break;
                }
            }
            self.expect_sign("]")?;
        }
        Ok(ExprKind::List(items))
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: Expr,
        next: impl FnOnce(&mut Self) -> Result<Expr, Fault>,
    ) -> Result<Expr, Fault> {
        self.count_operator()?;
        let right = next(self)?;
        let from = left.place.start;
        Ok(self.made(
            from,
            ExprKind::Binary(operator, Box::new(left), Box::new(right)),
        ))
    }

    /// A value as it is written, which needs nothing worked out.
    pub(super) fn value(&mut self) -> Result<Value, Fault> {
        let is_negative = self.take_sign("-");
        let value = match self.token() {
            Token::Int(number) if is_negative => Value::Int(-number),
            Token::Float(number) if is_negative => Value::Float(-number),
            _ if is_negative => return Err(self.expected("a number")),
            Token::Int(number) => Value::Int(*number),
            Token::Float(number) => Value::Float(*number),
            Token::Text(text) => Value::text(text),
            Token::Word(word) if word.eq_ignore_ascii_case("true") => Value::Bool(true),
            Token::Word(word) if word.eq_ignore_ascii_case("false") => Value::Bool(false),
            _ => {
                let what = "a value between the braces; other conditions stand in WHERE";
                return Err(self.expected(what));
            }
        };
        self.at += 1;
        Ok(value)
    }

    fn count_operator(&mut self) -> Result<(), Fault> {
        self.operators += 1;
        match self.operators > OPERATORS_MAX {
            true => Err(self.fault(&format!("a query has at most {OPERATORS_MAX} operators"))),
            false => Ok(()),
        }
    }

    fn made(&self, from: usize, kind: ExprKind) -> Expr {
        Expr {
            kind,
            place: from..self.end(),
        }
    }
}

const VALUE: &str = "a value, such as f.name, 100 or 'orders'";
/// Names only between backticks.
const RESERVED: &[&str] = &[
    "MATCH", "WHERE", "RETURN", "ORDER", "BY", "SKIP", "LIMIT", "DURING", "COMPARED", "AND", "OR",
    "XOR", "AS", "IN", "IS", "DISTINCT",
];
const DEPTH_MAX: usize = 64;
const OPERATORS_MAX: usize = 300;
