//! Making a payload fit: less of each text, fewer members, less depth. Ids stay, and JSON stays JSON.

use std::borrow::Cow;

use throughline_telemetry::wire::otlp::common::v1::any_value::Value;

use super::ids::is_correlation_id;
use super::node::Node;
use super::{DEPTH_MAX, MEMBERS_MAX};

/// The beginning of the text and how much is missing, together at most `bytes_max`.
pub(crate) fn text(whole: &str, bytes_max: usize) -> String {
    if whole.len() <= bytes_max {
        return whole.to_owned();
    }
    // The number of missing bytes is no longer than that of all.
    let mark = format!("…(+{} bytes)", whole.len());
    let end = whole.floor_char_boundary(bytes_max.saturating_sub(mark.len()));
    // Cut twice, it would say less than is missing.
    let (begin, missing) = (&whole[..end], whole.len() - end);
    format!("{begin}…(+{missing} bytes)")
}

/// What of the tree fits into so many bytes of JSON, if anything does. The first that fits of ever smaller ones.
pub(super) fn node<'t>(node: &Node<'t>, bytes_max: usize) -> Option<Node<'t>> {
    STEPS.iter().find_map(|step| {
        let smaller = reduced(node, "", step, 0);
        let mut out = String::new();
        smaller.write_json(&mut out);
        (out.len() <= bytes_max).then_some(smaller)
    })
}

struct Step {
    text_bytes: usize,
    members: usize,
    depth: usize,
}

fn reduced<'t>(node: &Node<'t>, name: &str, step: &Step, depth: usize) -> Node<'t> {
    match node {
        Node::Text(whole) if whole.len() > step.text_bytes && !is_correlation_id(name, whole) => {
            Node::Text(Cow::Owned(text(whole, step.text_bytes)))
        }
        Node::Value(value) => match &value.value {
            Some(Value::BytesValue(bytes)) if bytes.len() > step.text_bytes => {
                Node::Text(Cow::Owned(format!("bytes({})", bytes.len())))
            }
            _ => node.clone(),
        },
        Node::Array(..) if depth >= step.depth => Node::Deep("array"),
        Node::Object(..) if depth >= step.depth => Node::Deep("object"),
        Node::Array(members, more) => {
            let shown = step.members.min(members.len());
            let held = members[..shown].iter();
            let held = held.map(|member| reduced(member, name, step, depth + 1));
            Node::Array(held.collect(), more + members.len() - shown)
        }
        Node::Object(members, more) => {
            let mut held = Vec::new();
            let mut left = *more;
            for (at, (key, member)) in members.iter().enumerate() {
                let is_id = matches!(member, Node::Text(value) if is_correlation_id(key, value));
                if at < step.members || is_id {
                    held.push((key.clone(), reduced(member, key, step, depth + 1)));
                } else {
                    left += 1;
                }
            }
            Node::Object(held, left)
        }
        node => node.clone(),
    }
}

const STEPS: &[Step] = &[
    Step {
        text_bytes: usize::MAX,
        members: MEMBERS_MAX,
        depth: DEPTH_MAX,
    },
    Step {
        text_bytes: 1024,
        members: MEMBERS_MAX,
        depth: DEPTH_MAX,
    },
    Step {
        text_bytes: 256,
        members: MEMBERS_MAX,
        depth: DEPTH_MAX,
    },
    Step {
        text_bytes: 64,
        members: 32,
        depth: DEPTH_MAX,
    },
    Step {
        text_bytes: 64,
        members: 8,
        depth: DEPTH_MAX,
    },
    Step {
        text_bytes: 32,
        members: 4,
        depth: 4,
    },
    Step {
        text_bytes: 32,
        members: 2,
        depth: 3,
    },
    Step {
        text_bytes: 32,
        members: 1,
        depth: 2,
    },
];
