//! ARNs and names: what an application may write for a resource, and what the sandbox calls its own.

/// The last part of an ARN, or the text itself if it is none: the name of a queue, a topic, a bus, a bucket.
pub(crate) fn name_of(name_or_arn: &str) -> &str {
    let last = match is_arn(name_or_arn) {
        true => name_or_arn.splitn(6, ':').last().unwrap_or(name_or_arn),
        false => name_or_arn,
    };
    // `stream/NAME`, `event-bus/NAME`, `table/NAME/stream/LABEL`
    match (is_arn(name_or_arn), last.split_once('/')) {
        (true, Some((_, rest))) => rest.split('/').next().unwrap_or(rest),
        _ => last,
    }
}

pub(crate) fn is_arn(text: &str) -> bool {
    text.starts_with("arn:")
}

/// The service of an ARN, such as `sqs`.
pub(crate) fn service_of(arn: &str) -> Option<&str> {
    is_arn(arn).then(|| arn.split(':').nth(2)).flatten()
}

/// The region of an ARN, if it names one.
pub(crate) fn region_of(arn: &str) -> Option<&str> {
    let region = is_arn(arn).then(|| arn.split(':').nth(3)).flatten();
    region.filter(|region| !region.is_empty())
}

/// What went wrong, with all of its causes, in one line.
pub(crate) fn error_text<E: std::error::Error>(error: E) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some errors say what their causes say.
        if !text.ends_with(&said) {
            text += ": ";
            text += &said;
        }
        cause = error.source();
    }
    text.replace('\n', " ")
}

/// The name of a queue, a rule or a notification that the sandbox makes for a source: the same in each run, so that what
/// a killed sandbox left behind is taken up again instead of left for ever.
pub(crate) fn own_name(function: &str, source: &str) -> String {
    let function: String = function.chars().take(OWN_FUNCTION_CHARS_MAX).collect();
    format!(
        "throughline-{function}-{:016x}",
        fnv1a(format!("{function} {source}").as_bytes())
    )
}

pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Rules have names of at most 64 characters.
const OWN_FUNCTION_CHARS_MAX: usize = 35;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_arns() {
        let cases = [
            ("orders", "orders"),
            ("arn:aws:sqs:us-east-1:123456789012:orders", "orders"),
            ("arn:aws:sns:us-east-1:123456789012:news.fifo", "news.fifo"),
            (
                "arn:aws:kinesis:us-east-1:123456789012:stream/clicks",
                "clicks",
            ),
            (
                "arn:aws:events:us-east-1:123456789012:event-bus/shop",
                "shop",
            ),
            (
                "arn:aws:dynamodb:us-east-1:1:table/carts/stream/2026-11-01T00:00:00.000",
                "carts",
            ),
            ("arn:aws:s3:::pictures", "pictures"),
        ];
        for (arn, name) in cases {
            assert_eq!(name_of(arn), name, "{arn}");
        }
        assert_eq!(service_of(cases[1].0), Some("sqs"));
        assert_eq!(region_of(cases[6].0), None);
    }

    #[test]
    fn own_names_fit_and_differ() {
        let long = "f".repeat(64);
        assert!(own_name(&long, "topic").len() <= 64);
        assert_ne!(own_name("f", "a"), own_name("f", "b"));
        assert_eq!(own_name("f", "a"), own_name("f", "a"));
    }
}
