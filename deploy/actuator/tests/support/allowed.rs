//! What the template's role allows.

use std::collections::BTreeSet;

/// Every permission that the template gives the actuator: the words that are a service, a colon and an operation.
pub(crate) fn actions() -> BTreeSet<String> {
    let template = include_str!("../../template.yaml");
    let role = template.split("MayInvoke:").next().unwrap_or_default();
    let words = role.split_whitespace();
    let words = words.filter(|word| {
        let operation = word
            .strip_prefix("iam:")
            .or_else(|| word.strip_prefix("lambda:"));
        operation
            .is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric()))
    });
    words.map(str::to_owned).collect()
}
