//! Which attributes are payloads, by the names that are in use.

/// What the value under a name is of what a function was called with, or answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Other,
    /// A payload.
    Whole,
    /// One member of a payload that was taken apart.
    Part,
}

/// Whether the value under this name is a payload.
pub(crate) fn named(name: &str) -> Named {
    let Some((first, rest)) = name.split_once('.') else {
        return Named::Other;
    };
    let Some((_, exact, below)) = TABLE.iter().find(|(known, ..)| *known == first) else {
        return Named::Other;
    };
    if is_measure(rest) {
        return Named::Other;
    }
    let is_below = |prefix: &&str| {
        rest.strip_prefix(*prefix)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    if exact.contains(&rest) || (first == "faas" && rest.contains("payload")) {
        Named::Whole
    } else if below.iter().any(is_below) {
        Named::Part
    } else {
        Named::Other
    }
}

/// Of a payload, not the payload.
fn is_measure(rest: &str) -> bool {
    ["size", "bytes", "length", "type", "encoding", "mimetype"]
        .iter()
        .any(|word| {
            rest.strip_suffix(word)
                .is_some_and(|rest| rest.ends_with(['.', '_']))
        })
}

type Row = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// The first part of a name; what may follow it exactly; what may follow it with more behind it.
const TABLE: &[Row] = &[
    (
        "throughline",
        &["payload.request", "payload.response"],
        &["payload"],
    ),
    (
        "http",
        &[
            "request.body",
            "response.body",
            "request.body.text",
            "response.body.text",
            "request_body",
            "response_body",
            "body",
            "payload",
        ],
        &[],
    ),
    ("faas", &[], &[]),
    (
        "messaging",
        &["message.body", "message.payload", "payload", "body"],
        &["message.body"],
    ),
    (
        "db",
        &[
            "query.parameters",
            "operation.parameters",
            "statement.parameters",
            "sql.parameters",
            "response.body",
        ],
        &[
            "query.parameter",
            "operation.parameter",
            "statement.parameter",
        ],
    ),
    (
        "rpc",
        &[
            "request.body",
            "response.body",
            "request.payload",
            "response.payload",
        ],
        &[],
    ),
    // Datadog's: what a function was called with, and what AWS's services were.
    (
        "function",
        &["request", "response"],
        &["request", "response"],
    ),
    (
        "aws",
        &["request.body", "response.body"],
        &["request.body", "response.body"],
    ),
    (
        "graphql",
        &["document", "source", "variables"],
        &["variables"],
    ),
    (
        "gen_ai",
        &[
            "input.messages",
            "output.messages",
            "system_instructions",
            "prompt",
            "completion",
            "tool.call.arguments",
            "tool.call.result",
            "event.content",
        ],
        &["prompt", "completion"],
    ),
    ("input", &["value"], &[]),
    ("output", &["value"], &[]),
    ("traceloop", &["entity.input", "entity.output"], &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_known_by_name_and_what_measures_them_is_none() {
        let names = [
            ("throughline.payload.request", true),
            ("throughline.payload.response", true),
            ("throughline.payload.request.size", false),
            ("http.request.body", true),
            ("http.request.body.size", false),
            ("http.request.header.host", false),
            ("faas.request_payload", true),
            ("faas.document.name", false),
            ("messaging.message.body", true),
            ("messaging.message.body.size", false),
            ("messaging.message.id", false),
            ("db.query.text", false),
            ("db.query.parameter.0", true),
            ("db.operation.parameter.name", true),
            ("rpc.request.body", true),
            ("rpc.method", false),
            ("function.request.headers.host", true),
            ("function.response", true),
            ("aws.response.body.Items.0", true),
            ("aws.request_id", false),
            ("graphql.document", true),
            ("graphql.operation.name", false),
            ("gen_ai.prompt.0.content", true),
            ("gen_ai.usage.input_tokens", false),
            ("payload", false),
            ("", false),
        ];
        for (name, payload) in names {
            assert_eq!(named(name) != Named::Other, payload, "{name}");
        }
    }
}
