//! Charging the card. The gateway is pretended: it takes a moment, and can be asked to be slow or down.

use std::time::Duration;

use crate::failure::{CheckoutError, Failure};
use crate::order::{Order, Part};

/// Charges the order's total and returns the gateway's receipt number.
pub(crate) async fn charge(order: &Order) -> Result<String, Failure> {
    let takes = if order.is_slow(Part::Checkout) {
        SLOW
    } else {
        USUAL
    };
    tokio::time::sleep(takes).await;
    if order.is_failing(Part::Checkout) {
        return Err(CheckoutError::PaymentGateway {
            order: order.number,
            status: 503,
        }
        .into());
    }
    Ok(format!("pay-{:06}", order.number))
}

const USUAL: Duration = Duration::from_millis(12);
const SLOW: Duration = Duration::from_millis(1_400);
