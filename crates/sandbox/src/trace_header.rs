//! The `X-Amzn-Trace-Id` header: how an invocation learns which user action it belongs to.

use crate::time::UnixNanos;

/// The header that an invocation carries, made from what the caller sent.
///
/// Fields that we do not know (`Lineage`, `Self`) pass unchanged and in their place. What is missing is added as
/// Lambda's front does: a root when there is none, a parent and the decision to sample.
pub(crate) fn complete(incoming: Option<&str>, now: UnixNanos) -> String {
    let incoming = incoming
        .map(str::trim)
        .filter(|header| is_sane(header))
        .unwrap_or_default();
    let mut fields: Vec<String> = incoming
        .split(';')
        .map(str::trim)
        .filter(|field| !field.is_empty())
        .map(str::to_owned)
        .collect();
    if field(incoming, "Root").is_none() {
        // A parent without its root belongs to no trace.
        fields.retain(|field| !has_name(field, "Root") && !has_name(field, "Parent"));
        fields.insert(0, format!("Root={}", fresh_root(now)));
    }
    if !fields.iter().any(|field| has_name(field, "Parent")) {
        let after_root = fields
            .iter()
            .position(|field| has_name(field, "Root"))
            .map_or(0, |index| index + 1);
        fields.insert(after_root, format!("Parent={}", fresh_span_id()));
    }
    if !fields.iter().any(|field| has_name(field, "Sampled")) {
        fields.push("Sampled=1".to_owned());
    }
    fields.join(";")
}

/// The header one hop further on a way from function to function, or `None` where Lambda takes the way for a loop.
///
/// `Lineage=1:HASH:COUNT|…` counts how often each function was reached. Only hops that the platform itself makes are
/// counted here; the code of a function carries the field on and is not stopped.
pub(crate) fn hop(header: &str, function_arn: &str) -> Option<String> {
    let hash = format!("{:08x}", fnv_1a(function_arn.as_bytes()));
    let lineage = field(header, "Lineage").unwrap_or_default();
    let lineage = lineage.strip_prefix("1:").unwrap_or(lineage);
    let mut counts: Vec<(String, u32)> = lineage
        .split('|')
        .filter_map(|entry| entry.split_once(':'))
        .map(|(hash, count)| (hash.to_owned(), count.parse().unwrap_or(0)))
        .collect();
    if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == hash) {
        *count += 1;
        if *count > HOPS_MAX {
            return None;
        }
    } else if counts.len() < LINEAGE_MAX {
        counts.push((hash, 1));
    }
    let counts: Vec<_> = counts
        .iter()
        .map(|(hash, count)| format!("{hash}:{count}"))
        .collect();
    let kept = header.split(';').map(str::trim);
    let kept = kept.filter(|field| !field.is_empty() && !has_name(field, "Lineage"));
    let lineage = format!("Lineage=1:{}", counts.join("|"));
    let fields: Vec<_> = kept.chain([lineage.as_str()]).collect();
    Some(fields.join(";"))
}

fn fnv_1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// Eight random bytes in hex: the id of a segment that Lambda itself would write.
pub(crate) fn fresh_span_id() -> String {
    let (_, low) = uuid::Uuid::new_v4().as_u64_pair();
    format!("{low:016x}")
}

fn fresh_root(now: UnixNanos) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    format!("1-{:08x}-{}", now.as_secs() & 0xffff_ffff, &random[..24])
}

/// The value of a field, if it is there and not empty.
pub(crate) fn field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header
        .split(';')
        .map(str::trim)
        .find(|field| has_name(field, name))?
        .split_once('=')
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
}

fn has_name(field: &str, name: &str) -> bool {
    field
        .split_once('=')
        .is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
}

fn is_sane(header: &str) -> bool {
    header.len() <= HEADER_BYTES_MAX && header.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// A longer header is not one that any tracer wrote.
const HEADER_BYTES_MAX: usize = 1024;
/// Lambda stops a loop after about 16 invocations of one function.
const HOPS_MAX: u32 = 16;
/// Functions that one header counts, so that it stays shorter than its limit.
const LINEAGE_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixNanos = UnixNanos::from_millis(0x5759_e988_u64 * 1000);

    fn check(incoming: Option<&str>, expected: &str) {
        let made = complete(incoming, NOW);
        assert_eq!(mask_random(&made, expected), expected, "{made}");
    }

    /// Replaces with `*` each hex digit where the expectation has one.
    fn mask_random(made: &str, expected: &str) -> String {
        let masked = |(made, expected): (char, char)| {
            if expected == '*' && made.is_ascii_hexdigit() {
                '*'
            } else {
                made
            }
        };
        let known = expected.chars().chain(std::iter::repeat(' '));
        made.chars().zip(known).map(masked).collect()
    }

    #[test]
    fn complete_header_passes_unchanged() {
        let whole = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=a87bd80c:0";
        check(Some(whole), whole);
    }

    #[test]
    fn missing_fields_are_added_in_their_place() {
        check(
            None,
            "Root=1-5759e988-************************;Parent=****************;Sampled=1",
        );
        check(
            Some(""),
            "Root=1-5759e988-************************;Parent=****************;Sampled=1",
        );
        check(
            Some("Root=1-5759e988-bd862e3fe1be46a994272793"),
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=****************;Sampled=1",
        );
        check(
            Some("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0;Lineage=x:1"),
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=****************;Sampled=0;Lineage=x:1",
        );
        check(
            Some("Parent=53995c3f42cd8ad8;Lineage=x:1"),
            "Root=1-5759e988-************************;Parent=****************;Lineage=x:1;Sampled=1",
        );
    }

    #[test]
    fn header_that_is_no_header_is_replaced() {
        check(
            Some("Root=1-\u{1}"),
            "Root=1-5759e988-************************;Parent=****************;Sampled=1",
        );
    }

    #[test]
    fn loop_is_stopped_after_sixteen_hops_to_one_function() {
        let mut header = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1".to_owned();
        for _ in 0..HOPS_MAX {
            header = hop(&header, "arn:a").unwrap();
        }
        assert!(
            header.starts_with("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1;Lineage=1:")
                && header.ends_with(":16"),
            "{header}"
        );
        assert_eq!(hop(&header, "arn:a"), None);
        let other = hop(&header, "arn:b").unwrap();
        assert!(other.ends_with(":1") && other.contains(":16|"), "{other}");
    }

    #[test]
    fn lineage_of_lambda_itself_is_kept() {
        let header = hop("Root=1-0-0;Lineage=a87bd80c:3;Sampled=1", "arn:a").unwrap();
        assert!(
            header.starts_with("Root=1-0-0;Sampled=1;Lineage=1:a87bd80c:3|"),
            "{header}"
        );
    }
}
