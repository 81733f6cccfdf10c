use serde_json::Value;
use throughline_insight::detect::Severity;

use super::{mail, post, thread};
use crate::notice::{Line, Notice, Phase};
use crate::outbox::{Content, Thread};
use crate::testing::notice;

/// Text of telemetry that is as long and as hostile as it gets.
fn hostile() -> Content {
    let text =
        "<img src=x onerror=alert(1)>\"'&\r\nBcc: x@example.com\r\n\r\n<!channel> ".repeat(50);
    let line = Line::new(&text);
    let mut notice: Notice = notice(&text, Phase::Opened, Severity::Critical);
    notice.title = line.clone();
    for matter in &mut notice.matters {
        matter.title = line.clone();
        matter.nodes = vec![text.clone()];
        matter.kind = text.clone();
    }
    notice.matters = std::iter::repeat_n(notice.matters[1].clone(), 30).collect();
    notice.matters[0].title = "other".into();
    if let Some(cause) = &mut notice.cause {
        cause.text = line.clone();
    }
    for link in notice.evidence.iter_mut().chain(&mut notice.actions) {
        link.text = line.clone();
        link.href = format!("https://t.example/{}", "x".repeat(4000));
    }
    Content::Notice(
        notice,
        Thread {
            title: line,
            node: text,
            ..thread(0, None)
        },
    )
}

#[test]
fn text_of_telemetry_is_never_markup_and_never_too_long() {
    let mail = mail(&hostile());
    let text = String::from_utf8(mail.bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("\r\nBcc"), "{head}");
    // In the text it is text.
    let (_, html) = body.split_once("Content-Type: text/html").unwrap();
    assert!(!html.replace("=\r\n", "").contains("<img"), "{html}");
    assert!(text.lines().all(|line| line.len() <= 998));

    let chat: Value = serde_json::from_str(&post("chat", &hostile()).body).unwrap();
    let blocks = chat["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50);
    let fallback = chat["text"].as_str().unwrap();
    assert!(
        !fallback.contains('<') && fallback.contains("&lt;!channel&gt;"),
        "{fallback}"
    );
    let mut texts = Vec::new();
    all_texts(&chat["blocks"], &mut texts);
    for (kind, text) in texts {
        assert_eq!(kind, "plain_text");
        assert!(text.chars().count() <= 2000);
    }
    assert!(blocks[0]["text"]["text"].as_str().unwrap().chars().count() <= 150);
    // Addresses that are too long are left out.
    let rows = blocks.iter().filter(|it| it["type"] == "actions");
    let buttons = rows.flat_map(|row| row["elements"].as_array().unwrap());
    assert_eq!(buttons.count(), 1);

    let page: Value = serde_json::from_str(&post("page", &hostile()).body).unwrap();
    assert!(page["dedup_key"].as_str().unwrap().chars().count() <= 255);
    assert!(page["payload"]["summary"].as_str().unwrap().chars().count() <= 1024);
    let hook = post("hook", &hostile());
    let (_, id) = &hook.headers[1];
    assert!(id.bytes().all(|it| it.is_ascii_graphic()));
}

/// Every text object in a message of Slack.
fn all_texts(value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            if let (Some(kind), Some(text)) = (
                fields.get("type"),
                fields.get("text").and_then(Value::as_str),
            ) {
                into.push((kind.as_str().unwrap().to_owned(), text.to_owned()));
            }
            fields.values().for_each(|value| all_texts(value, into));
        }
        Value::Array(values) => values.iter().for_each(|value| all_texts(value, into)),
        _ => {}
    }
}
