//! What the filters of a query say about the rows that it needs.

use datafusion::common::{Column as Name, ScalarValue};
use datafusion::logical_expr::expr::Like;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use throughline_store::{Bounds, TokenHash, tokens};
use throughline_telemetry::UnixNanos;

/// What filters of words know of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Its whole text: it is an attribute that is read as text.
    Text,
    /// Its words: it is the body of log records.
    Words,
}

/// Reads what can be read; a filter that is not understood bounds nothing. `known` says what filters of
/// words know of a column.
pub(crate) fn bounds(filters: &[Expr], known: &dyn Fn(&str) -> Option<Known>) -> Bounds {
    let mut reader = Reader {
        found: Bounds::default(),
        known,
    };
    filters.iter().for_each(|filter| reader.add(filter));
    reader.found
}

struct Reader<'a> {
    found: Bounds,
    known: &'a dyn Fn(&str) -> Option<Known>,
}

impl Reader<'_> {
    fn add(&mut self, filter: &Expr) {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
                Operator::And => {
                    self.add(left);
                    self.add(right);
                }
                op => match (&**left, &**right) {
                    (Expr::Column(name), Expr::Literal(value, _)) => self.compare(name, *op, value),
                    (Expr::Literal(value, _), Expr::Column(name)) => {
                        if let Some(op) = op.swap() {
                            self.compare(name, op, value);
                        }
                    }
                    _ => {}
                },
            },
            Expr::Between(between) if !between.negated => {
                if let (Expr::Column(name), Expr::Literal(low, _), Expr::Literal(high, _)) =
                    (&*between.expr, &*between.low, &*between.high)
                {
                    self.compare(name, Operator::GtEq, low);
                    self.compare(name, Operator::LtEq, high);
                }
            }
            Expr::Like(like) if !like.negated => self.like(like),
            Expr::ScalarFunction(function) if function.func.name() == "contains" => {
                if let [Expr::Column(name), Expr::Literal(value, _)] = function.args.as_slice()
                    && let Some(text) = text(value)
                    && (self.known)(&name.name) == Some(Known::Words)
                {
                    self.words(within(&text, Ends::Open, Ends::Open));
                }
            }
            _ => {}
        }
    }

    fn like(&mut self, like: &Like) {
        let (Expr::Column(name), Expr::Literal(value, _)) = (&*like.expr, &*like.pattern) else {
            return;
        };
        let Some(pattern) = text(value).filter(|_| like.escape_char.is_none()) else {
            return;
        };
        if (self.known)(&name.name) != Some(Known::Words) || pattern.contains('\\') {
            return;
        }
        let words = of_pattern(&pattern);
        if !like.case_insensitive {
            self.words(words);
        } else if pattern.is_ascii() {
            // The sign of kelvin and the long s are other cases of k and s, but not of ASCII's.
            self.words(words.filter(|word| !word.contains(['k', 'K', 's', 'S'])));
        }
    }

    fn words<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        let hashes = words.flat_map(tokens).map(|token| token.hash());
        let hashes: Vec<TokenHash> = hashes.take(WORDS_MAX).collect();
        self.found.words.extend(hashes);
    }

    fn compare(&mut self, name: &Name, op: Operator, value: &ScalarValue) {
        let found = &mut self.found;
        match (name.name.as_str(), op) {
            ("time", Operator::Gt | Operator::GtEq) => {
                found.from = found.from.max(nanos(value));
            }
            ("time", Operator::Lt | Operator::LtEq) => {
                let to = nanos(value);
                found.to = found.to.into_iter().chain(to).min();
            }
            ("time", Operator::Eq) => {
                self.compare(name, Operator::GtEq, value);
                self.compare(name, Operator::LtEq, value);
            }
            ("service", Operator::Eq) => found.service = text(value).or(found.service.take()),
            ("name", Operator::Eq) => found.name = text(value).or(found.name.take()),
            ("trace_id", Operator::Eq) => {
                let id = text(value).and_then(|text| text.parse().ok());
                found.trace_id = id.or(found.trace_id);
            }
            (column, Operator::Eq) => match ((self.known)(column), text(value)) {
                (Some(Known::Text), Some(text)) => found.attributes.push((column.to_owned(), text)),
                (Some(Known::Words), Some(text)) => {
                    self.words(within(&text, Ends::Closed, Ends::Closed));
                }
                _ => {}
            },
            _ => {}
        }
    }
}

fn text(value: &ScalarValue) -> Option<String> {
    match value {
        ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text) => {
            text.clone()
        }
        _ => None,
    }
}

/// Whether a text that is looked for may go on where what is known of it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Open,
    Closed,
}

/// The words that each text has that a pattern of `LIKE` matches.
fn of_pattern(pattern: &str) -> impl Iterator<Item = &str> {
    let last = pattern.matches(WILDCARDS).count();
    let pieces = pattern.split(WILDCARDS).enumerate();
    let ends = move |is_closed| if is_closed { Ends::Closed } else { Ends::Open };
    pieces.flat_map(move |(number, piece)| within(piece, ends(number == 0), ends(number == last)))
}

/// The words of a piece of text that are whole in it.
fn within(piece: &str, begin: Ends, end: Ends) -> impl Iterator<Item = &str> {
    let is_of_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let piece = match begin {
        Ends::Open => piece.trim_start_matches(is_of_word),
        Ends::Closed => piece,
    };
    let piece = match end {
        Ends::Open => piece.trim_end_matches(is_of_word),
        Ends::Closed => piece,
    };
    tokens(piece).map(|token| token.text())
}

fn nanos(value: &ScalarValue) -> Option<UnixNanos> {
    let (number, nanos_each) = match value {
        ScalarValue::TimestampNanosecond(number, _) => ((*number)?, 1),
        ScalarValue::TimestampMicrosecond(number, _) => ((*number)?, 1_000),
        ScalarValue::TimestampMillisecond(number, _) => ((*number)?, 1_000_000),
        ScalarValue::TimestampSecond(number, _) => ((*number)?, 1_000_000_000),
        _ => return None,
    };
    let nanos = number.checked_mul(nanos_each)?;
    Some(UnixNanos(nanos.max(0).cast_unsigned()))
}

const WILDCARDS: [char; 2] = ['%', '_'];

/// Words of one condition that are looked for: each costs a read of every index.
const WORDS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    fn at(nanos: i64) -> Expr {
        lit(ScalarValue::TimestampNanosecond(
            Some(nanos),
            Some("UTC".into()),
        ))
    }

    #[test]
    fn bounds_and_equalities_are_understood() {
        let filters = [
            col("time").gt_eq(at(5)).and(at(90).gt_eq(col("time"))),
            col("time").gt(at(3)),
            col("service").eq(lit("cart")),
            col("name").eq(lit("a")).or(col("name").eq(lit("b"))),
        ];
        let expect = Bounds {
            from: Some(UnixNanos(5)),
            to: Some(UnixNanos(90)),
            service: Some("cart".to_owned()),
            ..Bounds::default()
        };
        assert_eq!(bounds(&filters, &|_| None), expect);
        let between = [col("time").between(at(-4), at(7))];
        assert_eq!(bounds(&between, &|_| None).from, Some(UnixNanos(0)));
        assert_eq!(bounds(&between, &|_| None).to, Some(UnixNanos(7)));
    }

    #[test]
    fn words_are_those_that_a_match_has_for_certain() {
        for (pattern, words) in [
            ("%a timeout of%", vec!["timeout"]),
            ("a timeout of", vec!["a", "timeout", "of"]),
            ("order ord-1b2c%", vec!["order", "ord"]),
            ("%-1b2c failed", vec!["1b2c", "failed"]),
            ("%no stock_left now%", vec![]),
            ("%(timeout)%(x)", vec!["timeout", "x"]),
            ("%", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(of_pattern(pattern).collect::<Vec<_>>(), words, "{pattern}");
        }
    }

    #[test]
    fn attributes_and_words_are_understood() {
        let known = |name: &str| match name {
            "route" => Some(Known::Text),
            "body" => Some(Known::Words),
            _ => None,
        };
        let hashes = |text: &str| -> Vec<TokenHash> { tokens(text).map(|it| it.hash()).collect() };
        let attribute = |text: &str| Bounds {
            attributes: vec![("route".to_owned(), text.to_owned())],
            ..Bounds::default()
        };
        let words = |text: &str| Bounds {
            words: hashes(text),
            ..Bounds::default()
        };
        for (filter, expect) in [
            (col("route").eq(lit("5")), attribute("5")),
            (lit("/pay").eq(col("route")), attribute("/pay")),
            (col("route").not_eq(lit("/pay")), Bounds::default()),
            (col("route").like(lit("/pay")), Bounds::default()),
            (col("size").eq(lit("5")), Bounds::default()),
            (col("body").eq(lit("No Stock")), words("no stock")),
            (col("body").like(lit("%a (b) c%")), words("b")),
            (col("body").not_like(lit("%a (b) c%")), Bounds::default()),
            (col("body").ilike(lit("%a (b) (k) c%")), words("b")),
            (col("body").ilike(lit("%é (b) c%")), Bounds::default()),
            (col("body").like(lit("%\\% (b) c%")), Bounds::default()),
        ] {
            assert_eq!(
                bounds(std::slice::from_ref(&filter), &known),
                expect,
                "{filter}"
            );
        }
    }
}
