//! What whoever deployed the function says of it.

use super::endpoint::unescape;

/// The attributes of `name=value,name=value`, each name once, and what is wrong with others.
pub(super) fn attributes(text: &str) -> (Vec<(String, String)>, Vec<String>) {
    let mut attributes: Vec<(String, String)> = Vec::new();
    let mut wrong = Vec::new();
    for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = name.trim();
        let value = unescape(value.trim()).and_then(|value| String::from_utf8(value).ok());
        match value.filter(|value| !value.is_empty()) {
            _ if name.is_empty() => wrong.push("one has no name".to_owned()),
            None => wrong.push(format!("{name} has no value that is text")),
            Some(_) if attributes.len() == ATTRIBUTES_MAX => {
                wrong.push(format!("{name} is more than {ATTRIBUTES_MAX} attributes"));
                break;
            }
            Some(value) => {
                attributes.retain(|(known, _)| known != name);
                attributes.push((name.to_owned(), value));
            }
        }
    }
    (attributes, wrong)
}

/// More than anybody says of a function; each is sent with every batch.
const ATTRIBUTES_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_as_opentelemetry_writes_them() {
        let text =
            " service.version=1.4.0 , team=web%20shop,team=shop%2C%20web, =x, empty=, bad=%f,alone";
        let (read, wrong) = attributes(text);
        let read: Vec<String> = read
            .iter()
            .map(|(key, text)| format!("{key}: {text}"))
            .collect();
        assert_eq!(read, ["service.version: 1.4.0", "team: shop, web"]);
        assert_eq!(
            wrong,
            [
                "one has no name",
                "empty has no value that is text",
                "bad has no value that is text",
                "alone has no value that is text"
            ]
        );
        let many: Vec<String> = (0..40).map(|number| format!("a{number}=1")).collect();
        let (read, wrong) = attributes(&many.join(","));
        assert_eq!((read.len(), wrong.len()), (ATTRIBUTES_MAX, 1));
    }
}
