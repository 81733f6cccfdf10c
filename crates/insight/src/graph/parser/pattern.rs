//! `(f:Function)-[c:CALLS*1..3]->(t:Table {name: 'orders'})`

use super::Parser;
use crate::graph::lexer::Token;
use crate::graph::mistake::{Fault, meant};
use crate::graph::syntax::{Direction, EdgePattern, Name, NodePattern, Pattern};
use crate::graph::value::Value;
use crate::graph::vocabulary::{self, Label, Types};

impl Parser<'_> {
    /// With a name before it or without, and `shortestPath(...)` around it.
    pub(super) fn pattern(&mut self) -> Result<Pattern, Fault> {
        let from = self.place().start;
        let is_named = matches!(self.behind(1), Token::Sign("="));
        let name = match self.token() {
            Token::Word(_) | Token::Quoted(_) if is_named => {
                let name = self.name("a name")?;
                self.at += 1;
                Some(name)
            }
            _ => None,
        };
        let is_shortest = self.take_word("shortestPath");
        if is_shortest {
            self.expect_sign("(")?;
        } else if self.is_word("allShortestPaths") {
            return Err(self.fault("there is shortestPath(...), which finds one of them"));
        }
        let mut pattern = self.plain_pattern()?;
        if is_shortest {
            self.expect_sign(")")?;
            let is_one = pattern.pieces.len() == 1 && pattern.pieces[0].0.hops.is_some();
            if !is_one {
                let what = "shortestPath goes from one node to another by one piece, such as \
                            shortestPath((a)-[*1..6]->(b))";
                return Err(Fault::new(what, &(from..from)));
            }
        }
        pattern.name = name;
        pattern.is_shortest = is_shortest;
        pattern.place = from..self.end();
        Ok(pattern)
    }

    pub(super) fn plain_pattern(&mut self) -> Result<Pattern, Fault> {
        let from = self.place().start;
        let start = self.node()?;
        let mut pieces = Vec::new();
        while self.is_arrow() {
            let edge = self.edge()?;
            pieces.push((edge, self.node()?));
            if pieces.len() > PIECES_MAX {
                let what = format!(
                    "a pattern has at most {PIECES_MAX} pieces: `*1..6` goes over several hops"
                );
                return Err(self.fault(&what));
            }
        }
        Ok(Pattern {
            name: None,
            is_shortest: false,
            start,
            pieces,
            place: from..self.end(),
        })
    }

    /// Whether a relationship begins here.
    pub(super) fn is_arrow(&self) -> bool {
        let goes_on = |sign: &Token| matches!(sign, Token::Sign("-" | "["));
        match (self.token(), self.behind(1)) {
            (Token::Sign("-"), next) => goes_on(next),
            (Token::Sign("<"), Token::Sign("-")) => goes_on(self.behind(2)),
            _ => false,
        }
    }

    pub(super) fn node(&mut self) -> Result<NodePattern, Fault> {
        if !self.take_sign("(") {
            return Err(self.expected("a node, such as (f:Function)"));
        }
        let name = self.name_of_pattern()?;
        let mut labels = Vec::new();
        while self.take_sign(":") || (!labels.is_empty() && self.take_sign("&")) {
            let mut either = vec![self.label()?];
            while self.take_sign("|") {
                self.take_sign(":");
                either.push(self.label()?);
            }
            labels.push(either);
        }
        let properties = self.properties()?;
        if !self.take_sign(")") {
            return Err(self.expected("`)`, which ends a node"));
        }
        Ok(NodePattern {
            name,
            labels,
            properties,
        })
    }

    fn edge(&mut self) -> Result<EdgePattern, Fault> {
        let from = self.place().start;
        let is_left = self.take_sign("<");
        self.expect_sign("-")?;
        let mut edge = EdgePattern {
            name: None,
            types: Types::NONE,
            direction: Direction::Either,
            hops: None,
            properties: Vec::new(),
            place: from..from,
        };
        if self.take_sign("[") {
            edge.name = self.name_of_pattern()?;
            if self.take_sign(":") {
                edge.types = self.edge_type()?;
                while self.take_sign("|") {
                    self.take_sign(":");
                    edge.types = edge.types.and(self.edge_type()?);
                }
            }
            if self.take_sign("*") {
                edge.hops = Some(self.hops()?);
            }
            edge.properties = self.properties()?;
            if !self.take_sign("]") {
                return Err(self.expected("`]`, which ends a relationship"));
            }
        }
        if !self.take_sign("-") {
            return Err(self.expected("`-` or `->` behind a relationship"));
        }
        let is_right = self.take_sign(">");
        edge.direction = match (is_left, is_right) {
            (true, false) => Direction::Left,
            (false, true) => Direction::Right,
            _ => Direction::Either,
        };
        edge.place = from..self.end();
        Ok(edge)
    }

    /// Behind the star: `*`, `*3`, `*1..6`, `*..6`, `*2..`.
    fn hops(&mut self) -> Result<(usize, usize), Fault> {
        let place = self.place();
        let few = self.hop();
        let is_range = self.take_sign("..");
        let many = if is_range { self.hop() } else { None };
        let (few, many) = match (few, is_range) {
            (Some(few), false) => (few, few),
            (few, _) => (few.unwrap_or(1), many.unwrap_or(HOPS_MAX)),
        };
        let what = if many > HOPS_MAX || few > HOPS_MAX {
            format!("at most {HOPS_MAX} hops are followed, such as *1..{HOPS_MAX}")
        } else if few > many {
            format!("*{few}..{many} is empty: the fewest come first")
        } else {
            return Ok((few, many));
        };
        Err(Fault::new(what, &place))
    }

    fn hop(&mut self) -> Option<usize> {
        let Token::Int(number) = self.token() else {
            return None;
        };
        let number = usize::try_from(*number).unwrap_or(usize::MAX);
        self.at += 1;
        Some(number)
    }

    fn name_of_pattern(&mut self) -> Result<Option<Name>, Fault> {
        match self.token() {
            Token::Word(_) | Token::Quoted(_) => Ok(Some(self.name("a name")?)),
            _ => Ok(None),
        }
    }

    fn label(&mut self) -> Result<Label, Fault> {
        let name = self.name("a label, such as Function or Table")?;
        Label::named(&name.text).ok_or_else(|| {
            let names = vocabulary::labels().map(|word| word.name);
            let what = format!(
                "there is no label `{}`: {}",
                name.text,
                meant(&name.text, names)
            );
            Fault::new(what, &name.place)
        })
    }

    fn edge_type(&mut self) -> Result<Types, Fault> {
        let name = self.name("a type, such as CALLS or TRIGGERS")?;
        Types::named(&name.text).ok_or_else(|| {
            let names = vocabulary::types().map(|word| word.name);
            let what = format!(
                "there is no type `{}`: {}",
                name.text,
                meant(&name.text, names)
            );
            Fault::new(what, &name.place)
        })
    }

    /// `{name: 'orders'}`
    fn properties(&mut self) -> Result<Vec<(Name, Value)>, Fault> {
        let mut properties = Vec::new();
        if !self.take_sign("{") {
            return Ok(properties);
        }
        loop {
            let name = self.name("a property, such as name")?;
            self.expect_sign(":")?;
            properties.push((name, self.value()?));
            if !self.take_sign(",") {
                break;
            }
        }
        self.expect_sign("}")?;
        Ok(properties)
    }
}

/// Farther than this everything is connected.
pub(in crate::graph) const HOPS_MAX: usize = 6;
const PIECES_MAX: usize = 12;
