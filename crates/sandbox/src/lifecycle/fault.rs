//! What goes wrong in an environment, and what a call that is not allowed gets.

use bytes::Bytes;
use serde_json::json;

/// Why an environment fails. The first one wins; what follows is mostly its consequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Lambda's name for it.
    pub(crate) error_type: String,
    pub(crate) message: String,
    /// The error that the runtime reported itself, passed on as it is.
    pub(crate) payload: Option<Bytes>,
}

impl Fault {
    pub(crate) fn new(error_type: &str, message: impl Into<String>) -> Self {
        Self {
            error_type: error_type.to_owned(),
            message: message.into(),
            payload: None,
        }
    }

    /// The platform's own, and nothing that the function or its extensions did.
    pub(crate) fn is_of_the_sandbox(&self) -> bool {
        self.error_type.starts_with("Sandbox.") && self.error_type != "Sandbox.Timedout"
    }

    /// The body that the caller of the function gets.
    pub(crate) fn payload(&self, request_id: &str) -> Bytes {
        match &self.payload {
            Some(payload) => payload.clone(),
            None => error_payload(
                &self.error_type,
                &format!("RequestId: {request_id} Error: {}", self.message),
            ),
        }
    }
}

/// An error as Lambda spells it in JSON.
pub(crate) fn error_payload(error_type: &str, message: &str) -> Bytes {
    json!({"errorType": error_type, "errorMessage": message})
        .to_string()
        .into()
}

/// The error type that a runtime claims, if it is one; the nearest that is, otherwise.
pub(crate) fn known_error_type(claimed: Option<&str>) -> String {
    let claimed = claimed.unwrap_or_default();
    let detail = claimed
        .strip_prefix("Runtime.")
        .or_else(|| claimed.strip_prefix("Function."));
    let is_name = |detail: &str| {
        let mut letters = detail.chars();
        letters
            .next()
            .is_some_and(|first| first.is_ascii_uppercase())
            && detail.len() > 1
            && letters.all(|letter| letter.is_ascii_alphabetic())
    };
    match detail {
        Some(detail) if is_name(detail) => claimed.to_owned(),
        _ if claimed.starts_with("Function.") => "Function.Unknown".to_owned(),
        _ => "Runtime.Unknown".to_owned(),
    }
}

/// An answer other than 200 or 202.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error_type: String,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, error_type: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            error_type: error_type.to_owned(),
            message: message.into(),
        }
    }

    pub(crate) fn forbidden(error_type: &str, message: impl Into<String>) -> Self {
        Self::new(403, error_type, message)
    }

    pub(crate) fn runtime_transition(from: &str, to: &str) -> Self {
        let message = format!(
            "State transition from {from} to {to} failed for runtime. Error: {NOT_ALLOWED}"
        );
        Self::forbidden("InvalidStateTransition", message)
    }

    pub(crate) fn extension_transition(from: &str, to: &str, extension: &str) -> Self {
        let message = format!(
            "State transition from {from} to {to} failed for extension {extension}. Error: {NOT_ALLOWED}"
        );
        Self::forbidden("Extension.InvalidExtensionState", message)
    }

    pub(crate) fn invalid_request_id() -> Self {
        Self::new(400, "InvalidRequestID", "Invalid request ID")
    }

    pub(crate) fn invalid_response_mode() -> Self {
        Self::new(
            400,
            "InvalidFunctionResponseMode",
            "Invalid function response mode",
        )
    }

    pub(crate) fn truncated() -> Self {
        Self::new(
            400,
            "TruncatedHTTPRequest",
            "HTTP request detected as truncated",
        )
    }

    pub(crate) fn invoke_timeout() -> Self {
        Self::new(410, "InvokeTimeout", "Invoke timeout")
    }

    pub(crate) fn too_large(limit: u64) -> Self {
        let message = format!("Exceeded maximum allowed payload size ({limit} bytes).");
        Self::new(413, "RequestEntityTooLarge", message)
    }

    /// As Go's router answers, without JSON.
    pub(crate) fn no_such_path() -> Self {
        Self::new(404, "", "404 page not found\n")
    }

    /// The environment is gone or about to be.
    pub(crate) fn internal() -> Self {
        Self::new(500, "InternalServerError", "Internal Server Error")
    }
}

/// What a function may return: 6 MiB and a little for the envelope.
pub(crate) const RESPONSE_BYTES_MAX: u64 = 6 * 1024 * 1024 + 100;

/// What a function may stream.
pub(crate) const STREAM_BYTES_MAX: u64 = 200 * 1024 * 1024;

const NOT_ALLOWED: &str = "State transition is not allowed";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claimed_error_types_are_kept_or_made_unknown() {
        let cases = [
            (
                Some("Runtime.ImportModuleError"),
                "Runtime.ImportModuleError",
            ),
            (Some("Function.ConfigInvalid"), "Function.ConfigInvalid"),
            (Some("Function.9"), "Function.Unknown"),
            (Some("unhandled"), "Runtime.Unknown"),
            (Some("Runtime.X"), "Runtime.Unknown"),
            (Some("Runtime.Bad-Name"), "Runtime.Unknown"),
            (None, "Runtime.Unknown"),
        ];
        for (claimed, expected) in cases {
            assert_eq!(known_error_type(claimed), expected, "{claimed:?}");
        }
    }
}
