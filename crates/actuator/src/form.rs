//! Parameters as IAM's forms have them.

use form_urlencoded::Serializer;
use serde_json::Value;

/// `Action=PutRolePolicy&Version=2010-05-08&RoleName=…`; lists are `Name.member.1`.
pub(crate) fn encode(operation: &str, parameters: &Value) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("Action", operation);
    form.append_pair("Version", VERSION);
    append(&mut form, "", parameters);
    // As AWS's SDKs write it: everything but letters, digits and `-._~` is escaped.
    let text = form.finish();
    text.replace('+', "%20")
        .replace('*', "%2A")
        .replace("%7E", "~")
}

fn append(form: &mut Serializer<'_, String>, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = match name {
                    "" => field.clone(),
                    name => format!("{name}.{field}"),
                };
                append(form, &name, value);
            }
        }
        Value::Array(items) => {
            for (number, item) in (1..).zip(items) {
                append(form, &format!("{name}.member.{number}"), item);
            }
        }
        Value::String(text) => {
            form.append_pair(name, text);
        }
        plain => {
            form.append_pair(name, &plain.to_string());
        }
    }
}

const VERSION: &str = "2010-05-08";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_numbered() {
        let parameters =
            json!({"A": ["x", "y z*~"], "B": [{"K": "k", "V": ["1"]}], "C": [], "D": true});
        assert_eq!(
            encode("Do", &parameters),
            "Action=Do&Version=2010-05-08&A.member.1=x&A.member.2=y%20z%2A~&B.member.1.K=k&B.member.1.V.member.1=1&D=true"
        );
    }
}
