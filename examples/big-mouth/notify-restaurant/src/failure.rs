//! Why a restaurant was not notified.

use aws_sdk_eventbridge::error::{DisplayErrorContext, SdkError};
use aws_sdk_eventbridge::operation::put_events::PutEventsError;
use lambda_runtime::Diagnostic;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("cannot read the order: {0}")]
    UnreadableOrder(#[from] serde_json::Error),
    #[error("the bus refused order {order}: {reason}")]
    Refused { order: String, reason: String },
    #[error("cannot reach the bus: {}", DisplayErrorContext(.0.as_ref()))]
    Bus(Box<SdkError<PutEventsError>>),
}

impl From<SdkError<PutEventsError>> for Failure {
    fn from(error: SdkError<PutEventsError>) -> Self {
        Self::Bus(Box::new(error))
    }
}

/// What Lambda is told, by a name to group by.
impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let error_type = match failure {
            Failure::UnreadableOrder(_) => "UnreadableOrder",
            Failure::Refused { .. } => "RefusedByBus",
            Failure::Bus(_) => "BusUnreachable",
        };
        Self {
            error_type: error_type.to_owned(),
            error_message: failure.to_string(),
        }
    }
}
