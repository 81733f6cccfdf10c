//! Whether a span is waited for by the one above it.

/// What a span says of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Role<'a> {
    /// Its kind, as [`SpanKind::name`](throughline_telemetry::SpanKind::name) has it.
    pub kind: &'a str,
    /// The service that it is of.
    pub service: &'a str,
    /// Its invocation, `faas.invocation_id`.
    pub invocation: Option<&'a str>,
    /// Whether it calls a function as an event, `aws.lambda.invocation_type`.
    pub is_event: bool,
    /// Of what kind the service between two others is that it stands for, `throughline.hop.kind`.
    pub hop: Option<&'a str>,
}

/// Messages, and calls of functions as events: who sends them does not wait for what they cause. Whoever took
/// some does wait for what it does about them.
///
/// The page does the same (`ui/src/features/traces/waterfall.ts`); one file of cases holds both to it.
pub fn is_asynchronous(span: Role<'_>, above: Option<Role<'_>>) -> bool {
    if let Some(hop) = span.hop.or(above.and_then(|above| above.hop)) {
        return !ANSWERING.contains(&hop);
    }
    let is_message = span.kind == "consumer";
    let Some(above) = above else {
        return is_message;
    };
    let is_own = match (above.invocation, span.invocation) {
        (Some(one), Some(other)) => one == other,
        _ => above.service == span.service,
    };
    match above.kind {
        "producer" => is_message || !is_own,
        "client" => is_message || above.is_event,
        _ => (is_message && !is_own) || above.is_event,
    }
}

/// Services that pass on what a function answers.
const ANSWERING: [&str; 2] = ["api", "balancer"];

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// What the page is held to as well.
    const CASES: &str = include_str!("../../../../ui/fixtures/asynchronous.json");

    #[derive(Deserialize)]
    struct Case {
        name: String,
        span: Told,
        above: Option<Told>,
        asynchronous: bool,
    }

    #[derive(Deserialize)]
    struct Told {
        kind: String,
        service: String,
        invocation: Option<String>,
        #[serde(default)]
        event: bool,
        hop: Option<String>,
    }

    impl Told {
        fn role(&self) -> Role<'_> {
            Role {
                kind: &self.kind,
                service: &self.service,
                invocation: self.invocation.as_deref(),
                is_event: self.event,
                hop: self.hop.as_deref(),
            }
        }
    }

    #[test]
    fn the_same_cases_as_the_page() {
        let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
        assert!(cases.len() > 10);
        for case in cases {
            let above = case.above.as_ref().map(Told::role);
            let found = is_asynchronous(case.span.role(), above);
            assert_eq!(found, case.asynchronous, "{}", case.name);
        }
    }
}
