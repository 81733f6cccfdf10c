//! What is all right, because somebody said so.

use throughline_telemetry::UnixNanos;

use super::finding::Finding;
use super::subject::Node;

/// Findings that open no incident, and belong to none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Of this node.
    pub node: Node,
    /// About its calls of this one; of findings about the node itself none.
    pub to: Option<Node>,
    /// Of new edges those of this class alone ([`EdgeClass::name`](super::EdgeClass::name)), of alerts of others those
    /// of this name; all of them with none.
    pub class: Option<String>,
    /// Of what one operation does, or is called for, this one alone; whatever it is with none.
    pub operation: Option<String>,
    /// Of new errors those of this signature alone; all of them with none.
    pub signature: Option<String>,
    /// Of this kind ([`Kind::name`]).
    pub kind: String,
    /// Until then.
    pub until: UnixNanos,
}

impl Allowed {
    /// Whether this finding is one of them at that time.
    pub(super) fn covers(&self, finding: &Finding, now: UnixNanos) -> bool {
        let (node, to) = finding.subject.ends();
        let kind = &finding.kind;
        now < self.until
            && *node == self.node
            && to == self.to.as_ref()
            && kind.name() == self.kind
            && is_any_or(self.class.as_deref(), kind.class())
            && is_any_or(self.operation.as_deref(), finding.subject.operation())
            && is_any_or(self.signature.as_deref(), kind.signature())
    }
}

/// Whether nothing is asked for, or this.
fn is_any_or(wanted: Option<&str>, is: Option<&str>) -> bool {
    wanted.is_none() || wanted == is
}

#[cfg(test)]
mod tests {
    use super::super::finding::{Kind, Measure, Severity};
    use super::super::subject::Subject;
    use super::*;

    fn found(subject: Subject, kind: Kind) -> Finding {
        Finding {
            subject,
            kind,
            before: None,
            after: Measure::exact(1.0, 1),
            since: UnixNanos(0),
            seen: UnixNanos(0),
            confidence: 1.0,
            severity: Severity::Warning,
            change: None,
        }
    }

    fn allowed(kind: &str) -> Allowed {
        Allowed {
            node: "function:pay".to_owned(),
            to: None,
            class: None,
            operation: None,
            signature: None,
            kind: kind.to_owned(),
            until: UnixNanos(9),
        }
    }

    fn covers(allowed: &Allowed, finding: &Finding) -> bool {
        allowed.covers(finding, UnixNanos(1))
    }

    #[test]
    fn one_new_error_is_all_right_and_the_next_is_not() {
        let error = |signature: &str| {
            let signature = signature.to_owned();
            found(
                Subject::Node("function:pay".to_owned()),
                Kind::NewError { signature },
            )
        };
        let one = Allowed {
            signature: Some("Declined: no money".to_owned()),
            ..allowed("new_error")
        };
        assert!(covers(&one, &error("Declined: no money")));
        assert!(!covers(&one, &error("TypeError: x is undefined")));
        let all = allowed("new_error");
        assert!(covers(&all, &error("TypeError: x is undefined")));
    }

    #[test]
    fn one_operation_is_all_right_and_the_others_are_not() {
        let node = "function:pay".to_owned();
        let slow = |subject: Subject| found(subject, Kind::Latency { quantile: 0.99 });
        let does = |operation: &str| slow(Subject::Operation(node.clone(), operation.to_owned()));
        let calls = |operation: &str| {
            let to = "table:users".to_owned();
            slow(Subject::Edge(node.clone(), to, operation.to_owned()))
        };
        let one = Allowed {
            operation: Some("GET /pay".to_owned()),
            ..allowed("latency")
        };
        assert!(covers(&one, &does("GET /pay")));
        assert!(!covers(&one, &does("POST /pay")));
        assert!(!covers(&one, &slow(Subject::Node(node.clone()))));
        assert!(covers(&allowed("latency"), &does("POST /pay")));
        let one = Allowed {
            to: Some("table:users".to_owned()),
            operation: Some("Query".to_owned()),
            ..allowed("latency")
        };
        assert!(covers(&one, &calls("Query")));
        assert!(!covers(&one, &calls("Scan")));
    }
}
