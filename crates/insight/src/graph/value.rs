//! What expressions are worked out to. Null is what is not known: whatever is compared with it is not known either.

use std::cmp::Ordering;
use std::sync::Arc;

use throughline_telemetry::UnixNanos;

use super::model::{EdgeId, NodeId};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Not known.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// A time.
    Time(UnixNanos),
    /// Values.
    List(Arc<[Value]>),
    /// A node.
    Node(NodeId),
    /// A relationship.
    Edge(EdgeId),
    /// A way from one node to another: the nodes, and the relationships between them.
    Path(Arc<[NodeId]>, Arc<[EdgeId]>),
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Value::Text(text.into())
    }

    pub(super) fn list(values: impl IntoIterator<Item = Value>) -> Self {
        Value::List(values.into_iter().collect())
    }

    pub(super) fn count(count: u64) -> Self {
        Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Of a number, if it is one; what is infinite or no number is not known.
    pub(super) fn float(number: f64) -> Self {
        match number.is_finite() {
            true => Value::Float(number),
            false => Value::Null,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    #[allow(clippy::cast_precision_loss)] // counts
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether both are the same, where that is known.
    pub(super) fn equals(&self, other: &Value) -> Option<bool> {
        match (self, other) {
            (Value::Null, _) | (_, Value::Null) => None,
            (Value::Int(a), Value::Int(b)) => Some(a == b),
            (Value::List(a), Value::List(b)) => {
                if a.len() != b.len() {
                    return Some(false);
                }
                let mut all = a.iter().zip(b.iter()).map(|(a, b)| a.equals(b));
                // One that differs settles it, one that is not known does not.
                all.try_fold(Some(true), |known, next| match next {
                    Some(false) => Err(()),
                    None => Ok(None),
                    Some(true) => Ok(known),
                })
                .unwrap_or(Some(false))
            }
            _ => Some(match (self.number(), other.number()) {
                (Some(a), Some(b)) => a == b,
                _ => self == other,
            }),
        }
    }

    /// Which one is less, of values that can be compared.
    pub(super) fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
            (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
            _ => self.number()?.partial_cmp(&other.number()?),
        }
    }

    /// Any two values in an order that never changes, what is not known last.
    pub(super) fn order(&self, other: &Value) -> Ordering {
        if let Some(ordering) = self.compare(other) {
            return ordering;
        }
        match (self, other) {
            (Value::List(a), Value::List(b)) => {
                let pairs = a.iter().zip(b.iter()).map(|(a, b)| a.order(b));
                pairs
                    .into_iter()
                    .find(|it| it.is_ne())
                    .unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Value::Node(a), Value::Node(b)) => a.cmp(b),
            (Value::Edge(a), Value::Edge(b)) => a.cmp(b),
            (Value::Path(_, a), Value::Path(_, b)) => (a.len(), a).cmp(&(b.len(), b)),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Value::Path(..) => 0,
            Value::Node(_) => 1,
            Value::Edge(_) => 2,
            Value::List(_) => 3,
            Value::Text(_) => 4,
            Value::Bool(_) => 5,
            Value::Time(_) => 6,
            Value::Int(_) | Value::Float(_) => 7,
            Value::Null => 8,
        }
    }

    /// Bytes that are the same for values that are the same, for groups: 1 and 1.0 are one, and so are nulls.
    pub(super) fn key(&self, key: &mut Vec<u8>) {
        key.push(self.rank());
        match self {
            Value::Null => {}
            Value::Bool(it) => key.push(u8::from(*it)),
            Value::Int(_) | Value::Float(_) => {
                // So that 0 and -0 are one.
                let number = self.number().unwrap_or_default() + 0.0;
                key.extend(number.to_le_bytes());
                // Whole numbers that a float cannot tell apart are.
                if let Value::Int(whole) = self
                    && whole.unsigned_abs() > EXACT
                {
                    key.extend(whole.to_le_bytes());
                }
            }
            Value::Text(text) => {
                key.extend(length(text.len()));
                key.extend(text.as_bytes());
            }
            Value::Time(at) => key.extend(at.0.to_le_bytes()),
            Value::List(values) => {
                key.extend(length(values.len()));
                values.iter().for_each(|value| value.key(key));
            }
            Value::Node(node) => key.extend(node.0.to_le_bytes()),
            Value::Edge(edge) => key.extend(edge.0.to_le_bytes()),
            Value::Path(nodes, edges) => {
                key.extend(length(edges.len()));
                nodes.iter().for_each(|it| key.extend(it.0.to_le_bytes()));
                edges.iter().for_each(|it| key.extend(it.0.to_le_bytes()));
            }
        }
    }
}

fn length(length: usize) -> [u8; 8] {
    (length as u64).to_le_bytes()
}

/// Whole numbers up to here are floats, too.
const EXACT: u64 = 1 << 53;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        value.key(&mut bytes);
        bytes
    }

    #[test]
    fn what_is_not_known_makes_nothing_known() {
        let list = |items: &[Value]| Value::list(items.to_vec());
        let (one, two) = (Value::Int(1), Value::Float(2.0));
        assert_eq!(Value::Null.equals(&Value::Null), None);
        assert_eq!(one.equals(&Value::Float(1.0)), Some(true));
        assert_eq!(one.equals(&Value::text("1")), Some(false));
        let unknown = list(&[one.clone(), Value::Null]);
        assert_eq!(unknown.equals(&list(&[one.clone(), two.clone()])), None);
        assert_eq!(
            unknown.equals(&list(&[two.clone(), two.clone()])),
            Some(false)
        );
        assert_eq!(one.compare(&Value::text("a")), None);
    }

    #[test]
    fn groups_are_of_equal_values() {
        assert_eq!(key(&Value::Int(1)), key(&Value::Float(1.0)));
        assert_eq!(key(&Value::Float(0.0)), key(&Value::Float(-0.0)));
        assert_ne!(key(&Value::Int(i64::MAX)), key(&Value::Int(i64::MAX - 1)));
        let lists = [["ab", "c"], ["a", "bc"]];
        let [a, b] = lists.map(|texts| key(&Value::list(texts.map(Value::text))));
        assert_ne!(a, b);
    }

    #[test]
    fn nulls_come_last() {
        let mut values = vec![
            Value::Null,
            Value::Int(3),
            Value::text("b"),
            Value::Float(2.5),
            Value::text("a"),
        ];
        values.sort_by(Value::order);
        let expected = [
            Value::text("a"),
            Value::text("b"),
            Value::Float(2.5),
            Value::Int(3),
            Value::Null,
        ];
        assert_eq!(values, expected);
    }
}
