//! Whom it matters to that something is refused.

use std::collections::BTreeSet;

use super::finding::{Kind, Severity};
use super::queues::Queues;
use super::rules::Suspicion;
use super::subject::{Node, Subject};

/// What is refused to whoever takes from a queue is tried again from there, so nobody notices while nothing waits
/// longer for it: good to know, and no more. Of who is called by others, or takes from nothing, users may notice.
pub(super) fn judge(suspicions: &mut [(Subject, Suspicion)], queues: &Queues) {
    let refused: Vec<Subject> = suspicions
        .iter()
        .filter(|(_, found)| matches!(found.kind, Kind::Throttles))
        .map(|(subject, _)| subject.clone())
        .collect();
    if refused.is_empty() {
        return;
    }
    let growing: BTreeSet<&Node> = suspicions
        .iter()
        .filter(|(_, found)| matches!(found.kind, Kind::Waiting { .. } | Kind::Backlog { .. }))
        .filter_map(|(subject, _)| subject.nodes().next())
        .collect();
    let can_wait = |caller: &Node| {
        let mut taken = queues.taken_by(caller).peekable();
        let takes = taken.peek().is_some();
        takes && !growing.contains(caller) && taken.all(|queue| !growing.contains(queue))
    };
    let calls = refused.iter().filter_map(|subject| match subject {
        Subject::Edge(from, to, _) => Some((from, to)),
        _ => None,
    });
    let calls: Vec<(&Node, &Node)> = calls.collect();
    let harmless: Vec<&Subject> = refused
        .iter()
        .filter(|subject| match subject {
            Subject::Edge(from, ..) => can_wait(from),
            Subject::Node(called) => {
                let mut callers = calls.iter().filter(|(_, to)| *to == called).peekable();
                callers.peek().is_some() && callers.all(|(from, _)| can_wait(from))
            }
            Subject::Operation(..) | Subject::Wait(_) => false,
        })
        .collect();
    for (subject, found) in suspicions {
        if matches!(found.kind, Kind::Throttles) && harmless.contains(&&*subject) {
            found.severity = Severity::Note;
        }
    }
}
