//! A restaurant, as the table has it and as the API tells it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Restaurant {
    id: String,
    name: String,
    cuisine: String,
}

impl Restaurant {
    /// `None` for an item that lacks one of its texts.
    pub(crate) fn from_item(item: &HashMap<String, AttributeValue>) -> Option<Self> {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        Some(Self {
            id: text("id")?,
            name: text("name")?,
            cuisine: text("cuisine")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_without_a_name_is_no_restaurant() {
        let item = |texts: &[(&str, &str)]| {
            let texts = texts.iter();
            texts
                .map(|(key, text)| ((*key).to_owned(), AttributeValue::S((*text).to_owned())))
                .collect()
        };
        let whole = item(&[("id", "r-1"), ("name", "Fangtasia"), ("cuisine", "bar")]);
        assert_eq!(
            Restaurant::from_item(&whole),
            Some(Restaurant {
                id: "r-1".to_owned(),
                name: "Fangtasia".to_owned(),
                cuisine: "bar".to_owned(),
            })
        );
        assert_eq!(Restaurant::from_item(&item(&[("id", "r-1")])), None);
    }
}
