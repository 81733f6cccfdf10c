//! Values that stay whatever else goes, because they join a payload to other things.

use crate::keys::normalized;

/// Whether this is an id that AWS's events and answers, or a trace's headers, are joined by.
///
/// An id of a person or of an order is none: it is a value like others.
pub(super) fn is_correlation_id(name: &str, value: &str) -> bool {
    if value.is_empty() || value.len() > BYTES_MAX || !value.bytes().all(is_of_id) {
        return false;
    }
    let name = normalized(name);
    NAMES.contains(&name.as_str()) || (name == "id" && is_uuid(value))
}

fn is_of_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.:/=+;".contains(&byte)
}

/// The id of an event of EventBridge; other ids of this name may be anybody's.
fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

const BYTES_MAX: usize = 256;
/// Without case and without `-_. `.
const NAMES: &[&str] = &[
    "awsrequestid",
    "connectionid",
    "correlationid",
    "deduplicationid",
    "etag",
    "eventid",
    "eventname",
    "eventsource",
    "eventsourcearn",
    "executionarn",
    "executionid",
    "extendedrequestid",
    "invocationid",
    "jobid",
    "md5ofbody",
    "messagededuplicationid",
    "messagegroupid",
    "messageid",
    "offset",
    "parentid",
    "partition",
    "recordid",
    "requestid",
    "sequencenumber",
    "shardid",
    "spanid",
    "topicarn",
    "traceid",
    "traceparent",
    "transactionid",
    "versionid",
    "xamzid2",
    "xamznrequestid",
    "xamzntraceid",
    "xamzrequestid",
    "xcorrelationid",
    "xrequestid",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_what_things_are_joined_by() {
        for (name, value, id) in [
            ("messageId", "059f36b4-87a3-44ab-83d2-661975830a7d", true),
            (
                "X-Amzn-Trace-Id",
                "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
                true,
            ),
            ("id", "059f36b4-87a3-44ab-83d2-661975830a7d", true),
            ("id", "ann", false),
            ("requestId", "said Ann to Bob", false),
            ("requestId", "", false),
            ("userId", "42", false),
            (
                "SequenceNumber",
                "49590338271490256608559692538361571095921575989136588898",
                true,
            ),
        ] {
            assert_eq!(is_correlation_id(name, value), id, "{name} {value}");
        }
    }
}
