//! An order: what the customer asked for, read from the query of the request.

use std::collections::HashMap;

use serde::Serialize;

/// One order. Its number decides what is in it, so that the same click buys the same thing every time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) number: u32,
    pub(crate) sku: &'static str,
    pub(crate) quantity: u32,
    pub(crate) total_cents: u32,
    slow: Option<Part>,
    fail: Option<Part>,
}

/// A part of the shop that a request can ask to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Checkout,
    Inventory,
    Notify,
}

/// What another function is told about an order.
#[derive(Debug, Serialize)]
pub(crate) struct OrderMessage {
    order: u32,
    sku: &'static str,
    quantity: u32,
    total_cents: u32,
    slow: bool,
    fail: bool,
}

/// The request does not describe an order.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadOrder {
    #[error("cannot read order number `{0}`: give a whole number, as in ?order=7")]
    Number(String),
    #[error("cannot make `{0}` misbehave: there are checkout, inventory and notify")]
    Part(String),
}

impl Order {
    pub(crate) fn from_query(query: &HashMap<String, String>) -> Result<Self, BadOrder> {
        let number = match query.get("order") {
            None => 1,
            Some(text) => text.parse().map_err(|_| BadOrder::Number(text.clone()))?,
        };
        let (sku, price_cents) = CATALOGUE[number as usize % CATALOGUE.len()];
        let quantity = 1 + number % 3;
        Ok(Self {
            number,
            sku,
            quantity,
            total_cents: price_cents * quantity,
            slow: query
                .get("slow")
                .map(|name| Part::parse(name))
                .transpose()?,
            fail: query
                .get("fail")
                .map(|name| Part::parse(name))
                .transpose()?,
        })
    }

    pub(crate) fn is_slow(&self, part: Part) -> bool {
        self.slow == Some(part)
    }

    pub(crate) fn is_failing(&self, part: Part) -> bool {
        self.fail == Some(part)
    }

    pub(crate) fn message_to(&self, part: Part) -> OrderMessage {
        OrderMessage {
            order: self.number,
            sku: self.sku,
            quantity: self.quantity,
            total_cents: self.total_cents,
            slow: self.is_slow(part),
            fail: self.is_failing(part),
        }
    }
}

impl Part {
    fn parse(name: &str) -> Result<Self, BadOrder> {
        match name {
            "checkout" => Ok(Self::Checkout),
            "inventory" => Ok(Self::Inventory),
            "notify" => Ok(Self::Notify),
            other => Err(BadOrder::Part(other.to_owned())),
        }
    }
}

const CATALOGUE: [(&str, u32); 5] = [
    ("mug-blue", 1_290),
    ("tea-assam-250g", 890),
    ("kettle-1l", 4_900),
    ("filter-paper-100", 450),
    ("grinder-steel", 7_950),
];

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(query: &[(&str, &str)], expected: Expect) {
        let query = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let seen = match Order::from_query(&query) {
            Ok(order) => serde_json::to_string(&order.message_to(Part::Inventory)).unwrap(),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&seen);
    }

    #[test]
    fn number_decides_what_is_bought() {
        check(
            &[("order", "7")],
            expect![[
                r#"{"order":7,"sku":"kettle-1l","quantity":2,"total_cents":9800,"slow":false,"fail":false}"#
            ]],
        );
    }

    #[test]
    fn only_the_named_part_misbehaves() {
        check(
            &[("order", "4"), ("slow", "inventory"), ("fail", "notify")],
            expect![[
                r#"{"order":4,"sku":"grinder-steel","quantity":2,"total_cents":15900,"slow":true,"fail":false}"#
            ]],
        );
    }

    #[test]
    fn unreadable_requests_say_what_to_write() {
        check(
            &[("order", "-1")],
            expect!["cannot read order number `-1`: give a whole number, as in ?order=7"],
        );
        check(
            &[("fail", "kitchen")],
            expect!["cannot make `kitchen` misbehave: there are checkout, inventory and notify"],
        );
    }
}
