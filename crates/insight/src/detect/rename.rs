//! A node that turns out to be another: a service of which it becomes known that it is a function.

use std::collections::BTreeMap;

use super::{Detector, Node, Subject};

impl Detector {
    /// What is known of a node, its operations and its calls is of this one from now on. Of what is known of both, that of
    /// the one that was there first stays, because it is the better reference.
    pub fn rename(&mut self, from: &Node, to: &Node) {
        let of_it = self.watched.keys().filter(|it| it.ends().0 == from);
        let subjects: Vec<Subject> = of_it.cloned().collect();
        for subject in subjects {
            let Some(history) = self.watched.remove(&subject) else {
                continue;
            };
            let subject = match subject {
                Subject::Node(_) => Subject::Node(to.clone()),
                Subject::Operation(_, operation) => Subject::Operation(to.clone(), operation),
                Subject::Edge(_, callee, operation) => Subject::Edge(to.clone(), callee, operation),
                Subject::Wait(_) => Subject::Wait(to.clone()),
            };
            let known = self.watched.get(&subject);
            if known.is_none_or(|known| history.since < known.since) {
                self.watched.insert(subject, history);
            }
        }
        moved(&mut self.known, from, to);
        moved(&mut self.environments, from, to);
        moved(&mut self.settings, from, to);
        moved(&mut self.arrived, from, to);
        for change in self.changes.iter_mut().filter(|it| it.node == *from) {
            change.node.clone_from(to);
        }
    }
}

fn moved<T>(map: &mut BTreeMap<Node, T>, from: &Node, to: &Node) {
    if let Some(known) = map.remove(from) {
        map.entry(to.clone()).or_insert(known);
    }
}
