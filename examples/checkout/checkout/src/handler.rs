//! One request to the function URL, from event to response.

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use lambda_runtime::LambdaEvent;
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use serde_json::{Value, json};
use tracing::{error, info, warn};

use crate::failure::{CheckoutError, Failure};
use crate::functions::Functions;
use crate::order::Order;
use crate::payment;
use crate::telemetry::{Telemetry, in_span, record_failure};
use crate::trace_header::TraceHeader;

/// Traces one invocation around [`answer`].
pub(crate) async fn handle(
    event: LambdaEvent<LambdaFunctionUrlRequest>,
    functions: &Functions,
    telemetry: &Telemetry,
) -> Result<LambdaFunctionUrlResponse, Failure> {
    let header = TraceHeader::parse(event.context.xray_trace_id.as_deref().unwrap_or_default());
    let cx = telemetry.start_invocation(header, "place order", request_attributes(&event));
    let result = answer(&cx, &event.payload, functions).await;
    match &result {
        Ok(response) => {
            let status = KeyValue::new("http.response.status_code", response.status_code);
            cx.span().set_attribute(status);
        }
        Err(failure) => {
            error!(error = %failure.error, "cannot place order");
            record_failure(&cx, failure);
        }
    }
    cx.span().end();
    telemetry.flush().await;
    result
}

/// A failure that the customer can do something about is an answer; the others fail the invocation.
async fn answer(
    cx: &Context,
    request: &LambdaFunctionUrlRequest,
    functions: &Functions,
) -> Result<LambdaFunctionUrlResponse, Failure> {
    if !matches!(request.raw_path.as_deref(), None | Some("/" | "/checkout")) {
        return Ok(json_response(
            404,
            json!({"error": "there is only /checkout here"}),
        ));
    }
    match place_order(cx, request, functions).await {
        Ok(receipt) => Ok(json_response(200, receipt)),
        Err(failure) => match refusal(&failure.error) {
            Some((status, reason)) => {
                warn!(error = %failure.error, status, "order refused");
                Ok(json_response(status, json!({ "error": reason })))
            }
            None => Err(failure),
        },
    }
}

async fn place_order(
    cx: &Context,
    request: &LambdaFunctionUrlRequest,
    functions: &Functions,
) -> Result<Value, Failure> {
    let order = Order::from_query(&request.query_string_parameters).map_err(CheckoutError::from)?;
    cx.span().set_attributes(order_attributes(&order));
    info!(
        order = order.number,
        sku = order.sku,
        quantity = order.quantity,
        "order received"
    );

    let reserved = functions.reserve(cx, &order).await?;
    info!(order = order.number, reservation = %reserved.reservation, "items reserved");

    let payment = in_span(
        cx,
        "charge card",
        SpanKind::Internal,
        Vec::new(),
        async |_| payment::charge(&order).await,
    )
    .await?;
    info!(order = order.number, payment = %payment, total_cents = order.total_cents, "card charged");

    // The order stands whether or not the e-mail goes out.
    if let Err(failure) = functions.confirm(cx, &order).await {
        warn!(order = order.number, error = %failure.error, "cannot ask for the confirmation");
    }
    Ok(json!({
        "order": order.number,
        "sku": order.sku,
        "quantity": order.quantity,
        "total_cents": order.total_cents,
        "reservation": reserved.reservation,
        "payment": payment,
        "trace_id": cx.span().span_context().trace_id().to_string(),
    }))
}

/// Status and words for an error that is the customer's to know; nothing for one that is ours.
fn refusal(error: &CheckoutError) -> Option<(u16, String)> {
    match error {
        CheckoutError::BadOrder(reason) => Some((400, reason.to_string())),
        CheckoutError::Function {
            error_type,
            message,
            ..
        } if error_type == "OutOfStock" => Some((409, format!("sold out: {message}"))),
        _ => None,
    }
}

fn request_attributes(event: &LambdaEvent<LambdaFunctionUrlRequest>) -> Vec<KeyValue> {
    let http = &event.payload.request_context.http;
    let optional = |name: &'static str, value: &Option<String>| {
        value.clone().map(|value| KeyValue::new(name, value))
    };
    [
        Some(KeyValue::new("faas.trigger", "http")),
        Some(KeyValue::new(
            "faas.invocation_id",
            event.context.request_id.clone(),
        )),
        optional("http.request.method", &http.method),
        optional("url.path", &event.payload.raw_path),
        optional("url.query", &event.payload.raw_query_string),
        optional("user_agent.original", &http.user_agent),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn order_attributes(order: &Order) -> [KeyValue; 4] {
    [
        KeyValue::new("shop.order", i64::from(order.number)),
        KeyValue::new("shop.sku", order.sku),
        KeyValue::new("shop.quantity", i64::from(order.quantity)),
        KeyValue::new("shop.total_cents", i64::from(order.total_cents)),
    ]
}

fn json_response(status: u16, body: Value) -> LambdaFunctionUrlResponse {
    let mut response = LambdaFunctionUrlResponse::default();
    response.status_code = status.into();
    response.headers =
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    response.body = Some(body.to_string());
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::BadOrder;

    #[test]
    fn customer_hears_only_what_is_theirs_to_know() {
        let function = |error_type: &str| CheckoutError::Function {
            function: "inventory".to_owned(),
            error_type: error_type.to_owned(),
            message: "none left".to_owned(),
        };
        let cases = [
            (
                CheckoutError::from(BadOrder::Number("x".to_owned())),
                Some(400),
            ),
            (function("OutOfStock"), Some(409)),
            (function("Runtime.ExitError"), None),
            (
                CheckoutError::PaymentGateway {
                    order: 7,
                    status: 503,
                },
                None,
            ),
        ];
        for (error, status) in cases {
            assert_eq!(refusal(&error).map(|(status, _)| status), status, "{error}");
        }
    }
}
