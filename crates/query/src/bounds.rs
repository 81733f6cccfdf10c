//! What the filters of a query say about the rows that it needs.

use datafusion::common::{Column as Name, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use throughline_store::Bounds;
use throughline_telemetry::UnixNanos;

/// Reads what can be read; a filter that is not understood bounds nothing.
pub(crate) fn bounds(filters: &[Expr]) -> Bounds {
    let mut found = Bounds::default();
    filters.iter().for_each(|filter| add(&mut found, filter));
    found
}

fn add(found: &mut Bounds, filter: &Expr) {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::And => {
                add(found, left);
                add(found, right);
            }
            op => match (&**left, &**right) {
                (Expr::Column(name), Expr::Literal(value, _)) => compare(found, name, *op, value),
                (Expr::Literal(value, _), Expr::Column(name)) => {
                    if let Some(op) = op.swap() {
                        compare(found, name, op, value);
                    }
                }
                _ => {}
            },
        },
        Expr::Between(between) if !between.negated => {
            if let (Expr::Column(name), Expr::Literal(low, _), Expr::Literal(high, _)) =
                (&*between.expr, &*between.low, &*between.high)
            {
                compare(found, name, Operator::GtEq, low);
                compare(found, name, Operator::LtEq, high);
            }
        }
        _ => {}
    }
}

fn compare(found: &mut Bounds, name: &Name, op: Operator, value: &ScalarValue) {
    let text = || match value {
        ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text) => {
            text.clone()
        }
        _ => None,
    };
    match (name.name.as_str(), op) {
        ("time", Operator::Gt | Operator::GtEq) => {
            found.from = found.from.max(nanos(value));
        }
        ("time", Operator::Lt | Operator::LtEq) => {
            let to = nanos(value);
            found.to = found.to.into_iter().chain(to).min();
        }
        ("time", Operator::Eq) => {
            compare(found, name, Operator::GtEq, value);
            compare(found, name, Operator::LtEq, value);
        }
        ("service", Operator::Eq) => found.service = text().or(found.service.take()),
        ("name", Operator::Eq) => found.name = text().or(found.name.take()),
        ("trace_id", Operator::Eq) => {
            let id = text().and_then(|text| text.parse().ok());
            found.trace_id = id.or(found.trace_id);
        }
        _ => {}
    }
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
        assert_eq!(bounds(&filters), expect);
        let between = [col("time").between(at(-4), at(7))];
        assert_eq!(bounds(&between).from, Some(UnixNanos(0)));
        assert_eq!(bounds(&between).to, Some(UnixNanos(7)));
    }
}
