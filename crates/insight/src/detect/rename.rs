//! A node that turns out to be another: a service of which it becomes known that it is a function.

use std::collections::BTreeMap;

use super::{Detector, Node, Subject};

impl Detector {
    /// What is known of a node, its operations and its calls is of this one from now on, and so is what was found of it.
    /// Of what is known of both, that of the one that was there first stays, because it is the better reference. Who calls
    /// the node says what it calls, so calls of it are left as they are.
    pub fn rename(&mut self, from: &Node, to: &Node) {
        let of_it = self.watched.keys().filter(|it| it.ends().0 == from);
        let subjects: Vec<Subject> = of_it.cloned().collect();
        for mut subject in subjects {
            let Some(history) = self.watched.remove(&subject) else {
                continue;
            };
            subject.rename(from, to);
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
        let in_incidents = self.incidents.all.iter_mut();
        let in_incidents = in_incidents.flat_map(|it| &mut it.findings);
        let in_incidents = in_incidents.map(|it| &mut it.finding);
        for finding in self.tracks.findings().chain(in_incidents) {
            finding.subject.rename(from, to);
            let change = finding.change.iter_mut();
            change
                .filter(|it| it.node == *from)
                .for_each(|it| it.node.clone_from(to));
        }
    }
}

impl Subject {
    /// Where it is of the one node, it is of the other.
    fn rename(&mut self, from: &Node, to: &Node) {
        let (Subject::Node(node)
        | Subject::Operation(node, _)
        | Subject::Wait(node)
        | Subject::Edge(node, ..)) = self;
        if node == from {
            node.clone_from(to);
        }
    }
}

fn moved<T>(map: &mut BTreeMap<Node, T>, from: &Node, to: &Node) {
    if let Some(known) = map.remove(from) {
        map.entry(to.clone()).or_insert(known);
    }
}
