//! The order in a notification of the topic.

use serde::Deserialize;

/// An order, and the text that it came as.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) restaurant: String,
    pub(crate) json: String,
}

#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "Message")]
    message: String,
}

#[derive(Deserialize)]
struct Told {
    id: String,
    restaurant: String,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    dish: String,
    quantity: u32,
}

impl Order {
    /// Reads the body of a message that the topic put into the queue.
    ///
    /// # Errors
    ///
    /// Where the body is no notification, or what it tells is no order that a kitchen could work on.
    pub(crate) fn from_notification(body: &str) -> Result<Self, serde_json::Error> {
        let notification: Notification = serde_json::from_str(body)?;
        let told: Told = serde_json::from_str(&notification.message)?;
        for item in &told.items {
            tracing::debug!(dish = item.dish, quantity = item.quantity, "ordered");
        }
        Ok(Self {
            id: told.id,
            restaurant: told.restaurant,
            json: notification.message,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(quantity: &str) -> String {
        let order = format!(
            r#"{{"id":"o-7","restaurant":"r-3","items":[{{"dish":"ramen","quantity":{quantity}}}]}}"#
        );
        serde_json::json!({ "Type": "Notification", "Message": order }).to_string()
    }

    #[test]
    fn an_order_is_read_from_the_topics_envelope() {
        let order = Order::from_notification(&notification("2")).unwrap();
        assert_eq!(
            (order.id.as_str(), order.restaurant.as_str()),
            ("o-7", "r-3")
        );
        assert!(order.json.contains("ramen"));
    }

    #[test]
    fn a_quantity_that_is_no_number_is_refused() {
        for quantity in [r#""2""#, "-1", "1.5", "null"] {
            assert!(
                Order::from_notification(&notification(quantity)).is_err(),
                "{quantity}"
            );
        }
    }
}
