//! Calls of the other functions, through the AWS SDK.

use std::time::Duration;

use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_lambda::error::DisplayErrorContext;
use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType::{self, Event, RequestResponse};
use aws_sdk_lambda::{Client, Config};
use http::HeaderValue;
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use serde::Deserialize;

use crate::failure::{CheckoutError, Failure};
use crate::order::{Order, OrderMessage, Part};
use crate::settings::Settings;
use crate::telemetry::in_span;
use crate::trace_header::{self, TraceHeader};

/// The functions that `checkout` works with.
#[derive(Debug)]
pub(crate) struct Functions {
    lambda: Client,
    region: String,
    inventory: String,
    notify: String,
}

/// `inventory`'s answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Reservation {
    pub(crate) reservation: String,
}

impl Functions {
    pub(crate) fn new(settings: Settings) -> Self {
        let credentials = Credentials::new(
            settings.access_key_id,
            settings.secret_access_key,
            settings.session_token,
            None,
            "environment",
        );
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .credentials_provider(credentials)
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_timeout(CALL_TIMEOUT)
                    .build(),
            )
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        config.set_endpoint_url(settings.lambda_endpoint);
        Self {
            lambda: Client::from_conf(config.build()),
            region: settings.region,
            inventory: settings.inventory,
            notify: settings.notify,
        }
    }

    /// Reserves the items; waits for the answer.
    pub(crate) async fn reserve(
        &self,
        cx: &Context,
        order: &Order,
    ) -> Result<Reservation, Failure> {
        let message = order.message_to(Part::Inventory);
        let answer = self
            .invoke(cx, &self.inventory, RequestResponse, &message)
            .await?;
        let reservation =
            serde_json::from_slice(&answer).map_err(|error| CheckoutError::Answer {
                function: self.inventory.clone(),
                reason: error.to_string(),
            })?;
        Ok(reservation)
    }

    /// Hands the confirmation over; does not wait until it is sent.
    pub(crate) async fn confirm(&self, cx: &Context, order: &Order) -> Result<(), Failure> {
        let message = order.message_to(Part::Notify);
        self.invoke(cx, &self.notify, Event, &message).await?;
        Ok(())
    }

    /// Invokes a function within a span of its own.
    async fn invoke(
        &self,
        cx: &Context,
        function: &str,
        invocation_type: InvocationType,
        message: &OrderMessage,
    ) -> Result<Vec<u8>, Failure> {
        let name = format!("invoke {function}");
        let attributes = self.call_attributes(function, &invocation_type);
        in_span(cx, name, SpanKind::Client, attributes, async |cx| {
            let header = header_for_call(cx);
            let output = self
                .send(function, invocation_type, message, header)
                .await?;
            if let Some(id) = output.request_id() {
                cx.span()
                    .set_attribute(KeyValue::new("aws.request_id", id.to_owned()));
            }
            answer_of(function, output)
        })
        .await
    }

    async fn send(
        &self,
        function: &str,
        invocation_type: InvocationType,
        message: &OrderMessage,
        header: HeaderValue,
    ) -> Result<InvokeOutput, CheckoutError> {
        let payload = serde_json::to_vec(message).expect("an order message is plain data");
        self.lambda
            .invoke()
            .function_name(function)
            .invocation_type(invocation_type)
            .payload(Blob::new(payload))
            .customize()
            // The SDK would pass on the header of this invocation. This one names the span of the call.
            .mutate_request(move |request| {
                request
                    .headers_mut()
                    .insert(trace_header::NAME, header.clone());
            })
            .send()
            .await
            .map_err(|error| CheckoutError::Invoke {
                function: function.to_owned(),
                reason: DisplayErrorContext(error).to_string(),
            })
    }

    fn call_attributes(&self, function: &str, invocation_type: &InvocationType) -> Vec<KeyValue> {
        vec![
            KeyValue::new("rpc.system", "aws-api"),
            KeyValue::new("rpc.service", "Lambda"),
            KeyValue::new("rpc.method", "Invoke"),
            KeyValue::new("cloud.region", self.region.clone()),
            KeyValue::new("faas.invoked_name", function.to_owned()),
            KeyValue::new("faas.invoked_provider", "aws"),
            KeyValue::new("faas.invoked_region", self.region.clone()),
            KeyValue::new("aws.lambda.invocation_type", invocation_type.to_string()),
        ]
    }
}

fn header_for_call(cx: &Context) -> HeaderValue {
    let text = cx
        .get::<TraceHeader>()
        .unwrap_or(&TraceHeader::default())
        .for_call(cx.span().span_context());
    // Fields of the incoming header came in as a header, so they can go out as one.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The payload, or the error that the function itself ended with.
fn answer_of(function: &str, output: InvokeOutput) -> Result<Vec<u8>, Failure> {
    let payload = output.payload.map(Blob::into_inner).unwrap_or_default();
    if output.function_error.is_none() {
        return Ok(payload);
    }
    let report: ErrorReport = serde_json::from_slice(&payload).unwrap_or_default();
    Err(CheckoutError::Function {
        function: function.to_owned(),
        error_type: report.error_type,
        message: report.error_message,
    }
    .into())
}

/// What Lambda answers in place of a result when a function failed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ErrorReport {
    error_type: String,
    error_message: String,
}

impl Default for ErrorReport {
    fn default() -> Self {
        Self {
            error_type: "Unknown".to_owned(),
            error_message: "no reason given".to_owned(),
        }
    }
}

/// Below the 10 seconds that this function itself has, so that it can still say what happened.
const CALL_TIMEOUT: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(function_error: Option<&str>, payload: &str, expected: Expect) {
        let output = InvokeOutput::builder()
            .set_function_error(function_error.map(str::to_owned))
            .payload(Blob::new(payload))
            .build();
        let seen = match answer_of("inventory", output) {
            Ok(answer) => String::from_utf8(answer).unwrap(),
            Err(failure) => format!("{}: {}", failure.error.name(), failure.error),
        };
        expected.assert_eq(&seen);
    }

    #[test]
    fn answer_is_the_payload() {
        check(None, r#"{"left":10}"#, expect![[r#"{"left":10}"#]]);
    }

    #[test]
    fn error_of_a_function_keeps_its_type() {
        check(
            Some("Unhandled"),
            r#"{"errorType":"OutOfStock","errorMessage":"none left","stackTrace":["..."]}"#,
            expect!["OutOfStock: inventory failed: none left"],
        );
    }

    #[test]
    fn error_without_a_report_is_still_an_error() {
        check(
            Some("Unhandled"),
            "",
            expect!["Unknown: inventory failed: no reason given"],
        );
    }
}
