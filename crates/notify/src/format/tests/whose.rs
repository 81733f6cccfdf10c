use serde_json::{Value, json};
use throughline_insight::detect::Severity;

use super::{mail, post, thread};
use crate::notice::{Phase, Whose};
use crate::outbox::{Content, Thread};
use crate::testing::notice;

/// Where nothing of it is known, all forms are as they were before it could be.
#[test]
fn where_it_is_and_whose_stands_in_every_form() {
    let mut notice = notice("incident-12", Phase::Opened, Severity::Critical);
    notice.whose = Whose {
        environments: vec!["prod-eu".into(), "prod-us".into()],
        owners: vec!["payments".into(), "<shop>".into()],
    };
    let told = Thread {
        whose: notice.whose.clone(),
        ..thread(0, None)
    };
    let content = Content::Notice(notice.clone(), told.clone());
    let body = |receiver: &str, content: &Content| -> Value {
        serde_json::from_str(&post(receiver, content).body).unwrap()
    };
    let state =
        "critical · since 2026-11-22 14:02 UTC · prod-eu, prod-us · owned by payments, <shop>";
    let chat = body("chat", &content);
    assert_eq!(chat["blocks"][1]["text"]["text"], state);
    let page = body("page", &content);
    assert_eq!(page["payload"]["group"], "prod-eu, prod-us");
    assert_eq!(page["payload"]["custom_details"]["state"], state);
    assert_eq!(page["dedup_key"], "throughline/production/incident-12");
    let hook = body("hook", &content);
    assert_eq!(hook["environment"], "production");
    assert_eq!(hook["environments"], json!(["prod-eu", "prod-us"]));
    assert_eq!(hook["owners"], json!(["payments", "<shop>"]));
    let labels = |content: &Content| body("am", content)[0]["labels"].clone();
    assert_eq!(labels(&content)["environment"], "prod-eu,prod-us");
    assert_eq!(labels(&content)["owner"], "payments,<shop>");

    // An alert is known by its labels, so it keeps them whatever is known by now.
    notice.whose = Whose::default();
    let later = Content::Notice(notice, told);
    assert_eq!(labels(&later), labels(&content));
    let mail = String::from_utf8(mail(&content).bytes).unwrap();
    let mail = mail.replace("=\r\n", "");
    assert!(mail.contains("owned by payments, <shop>"), "{mail}");
    assert!(mail.contains("owned by payments, &lt;shop&gt;"), "{mail}");
}
