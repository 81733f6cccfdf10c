//! `google.rpc.Status`, in which OTLP tells errors: as protobuf and as JSON.
//!
//! Three small messages are written out here instead of a dependency for them.

use std::time::Duration;

use prost::Message;

use super::refusal::Refusal;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Status {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Any {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(crate) retry_delay: Option<RetryDelay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct RetryDelay {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}

impl Status {
    pub(crate) fn of(refusal: &Refusal) -> Self {
        Status {
            code: refusal.answer().grpc as i32,
            message: refusal.message(),
            details: refusal.retry_after().map(retry_info).into_iter().collect(),
        }
    }

    /// Protobuf's JSON form, where a known detail is spelled out.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let details = self.details.iter().filter_map(|detail| {
            let delay = RetryInfo::decode(detail.value.as_slice())
                .ok()?
                .retry_delay?;
            let retry_delay = format!("{}.{:09}s", delay.seconds, delay.nanos);
            Some(serde_json::json!({"@type": detail.type_url, "retryDelay": retry_delay}))
        });
        let mut json = serde_json::json!({"code": self.code, "message": self.message});
        let details: Vec<_> = details.collect();
        if !details.is_empty() {
            json["details"] = details.into();
        }
        json.to_string().into_bytes()
    }
}

fn retry_info(after: Duration) -> Any {
    let delay = RetryDelay {
        seconds: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(after.subsec_nanos()).unwrap_or(0),
    };
    let info = RetryInfo {
        retry_delay: Some(delay),
    };
    Any {
        type_url: RETRY_INFO.to_owned(),
        value: info.encode_to_vec(),
    }
}

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn overload_says_when_to_try_again() {
        let status = Status::of(&Refusal::Overloaded {
            retry_after: Duration::from_millis(1500),
        });
        expect![[r#"{"code":14,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500000000s"}],"message":"the server cannot take more now: try again in 1.5s (TL0305)"}"#]]
            .assert_eq(&String::from_utf8(status.to_json()).unwrap());
        assert_eq!(
            Status::decode(status.encode_to_vec().as_slice()),
            Ok(status)
        );
    }

    #[test]
    fn other_errors_have_no_details() {
        let status = Status::of(&Refusal::Malformed("no".into()));
        expect![[r#"{"code":3,"message":"no (TL0301)"}"#]]
            .assert_eq(&String::from_utf8(status.to_json()).unwrap());
    }
}
