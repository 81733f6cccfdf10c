//! Why a call was not answered as it should be.

use serde_json::Value;
use throughline_act::{Answer, Call, Failure};

/// What AWS says, with the name that its documentation has for it. An error of its own says nothing of what was done
/// before it.
pub(crate) fn refused(call: &Call, answer: &Answer) -> Failure {
    let code = code(answer);
    let said = message(&answer.body);
    let operation = &call.operation;
    let status = answer.status;
    let message = match said.is_empty() {
        true => format!("{operation} is refused with {status} {code}"),
        false => format!("{operation} is refused with {status} {code}: {said}"),
    };
    let what = match status {
        500.. => "unreachable",
        _ => "refused",
    };
    Failure::new(what, message)
}

/// `NoSuchEntity`, `ResourceNotFoundException`.
pub(crate) fn code(answer: &Answer) -> String {
    if let Some(code) = element(&answer.body, "Code") {
        return code.to_owned();
    }
    let json: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let code = json["__type"].as_str().or(json["Type"].as_str());
    let code = code.unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default().to_owned()
}

fn message(body: &str) -> String {
    if let Some(message) = element(body, "Message") {
        return message.to_owned();
    }
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let message = json["Message"].as_str().or(json["message"].as_str());
    message.unwrap_or_default().to_owned()
}

/// The text of the first element of this name. Of IAM's answers only names of errors, permissions and decisions are
/// read, which hold no markup.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    elements(xml, name).next()
}

/// The texts of all elements of this name.
pub(crate) fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let from = rest.find(&open)? + open.len();
        let to = from + rest[from..].find(&close)?;
        let found = &rest[from..to];
        rest = &rest[to..];
        Some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, expected: &str) {
        let call: Call = serde_json::from_str(
            r#"{"service":"iam","operation":"PutRolePolicy","method":"POST","path":"/","parameters":null}"#,
        )
        .unwrap();
        let answer = Answer {
            status,
            request_id: String::new(),
            body: body.to_owned(),
        };
        let failure = refused(&call, &answer);
        assert_eq!(failure.message, expected);
        let is_known = failure.code == "refused";
        assert_eq!(is_known, status < 500, "{}", failure.code);
    }

    #[test]
    fn errors_are_told_as_aws_names_them() {
        check(
            409,
            "<ErrorResponse><Error><Type>Sender</Type><Code>LimitExceeded</Code>\
             <Message>Maximum policy size of 10240 bytes exceeded</Message></Error></ErrorResponse>",
            "PutRolePolicy is refused with 409 LimitExceeded: Maximum policy size of 10240 bytes exceeded",
        );
        check(
            412,
            r#"{"Type":"User","Message":"the revision is another"}"#,
            "PutRolePolicy is refused with 412 User: the revision is another",
        );
        check(502, "bad gateway", "PutRolePolicy is refused with 502 ");
    }

    #[test]
    fn elements_are_found_in_their_order() {
        let xml = "<a><E>1</E><E>2</E><F>x</F><E>3</a>";
        assert_eq!(elements(xml, "E").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(element(xml, "G"), None);
    }
}
