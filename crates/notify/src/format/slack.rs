//! A message of Slack: blocks, and a text for where there is no room for them.
//!
//! What telemetry says stands in `plain_text` objects, which Slack does not read as markup; the text beside the
//! blocks is read as such, so there `&`, `<` and `>` are escaped and no mention can come about.

use serde_json::{Value, json};

use super::{Frame, words};
use crate::letter::Letter;
use crate::notice::{Line, Link, Notice, Phase};
use crate::outbox::{Content, Thread};

pub(super) fn body(content: &Content, frame: &Frame) -> Value {
    match content {
        Content::Notice(notice, thread) => of_notice(notice, thread, frame),
        Content::Letter(letter) => of_letter(letter, frame),
    }
}

fn of_notice(notice: &Notice, thread: &Thread, frame: &Frame) -> Value {
    let offset = frame.receiver.utc_offset_minutes;
    let state = words::state(notice, thread.was.as_deref(), offset);
    let mark = match notice.phase {
        Phase::Closed => "Ended: ",
        Phase::Acknowledged => "Looked after: ",
        Phase::Opened | Phase::Grew => "",
    };
    let title = Line::new(&format!("{mark}{}", notice.title));
    let mut blocks = vec![
        json!({"type": "header", "text": plain(&title.cut(HEADER_MAX))}),
        json!({"type": "section", "text": plain(&state)}),
    ];
    if let Some(cause) = words::cause(notice) {
        blocks.push(json!({"type": "section", "text": plain(&cause)}));
    }
    let also: Vec<&str> = words::also(notice).collect();
    if !also.is_empty() {
        let fields: Vec<Value> = also.iter().map(|line| plain(line)).collect();
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    if let Some(affected) = words::affected(notice) {
        blocks.push(json!({"type": "section", "text": plain(&affected)}));
    }
    let page = Link {
        text: "Open".into(),
        href: notice.page.clone(),
    };
    // What shows something is in one row, and what can be done about it in the next.
    blocks.extend(buttons(
        "open",
        std::iter::once(&page).chain(words::evidence(notice)),
    ));
    blocks.extend(buttons("act", words::actions(notice)));
    blocks.push(foot(frame));
    message(&format!("{title} ({state})"), blocks)
}

fn of_letter(letter: &Letter, frame: &Frame) -> Value {
    let mut blocks = vec![json!({"type": "header", "text": plain(&letter.title.cut(HEADER_MAX))})];
    blocks.extend(letter.items.iter().map(|item| {
        let text = format!("{}\n{}", item.title, item.note);
        let mut block = json!({"type": "section", "text": plain(&text)});
        if fits(&item.href) {
            block["accessory"] = json!({"type": "button", "text": plain("Open"), "url": item.href});
        }
        block
    }));
    if !letter.foot.as_str().is_empty() {
        blocks.push(json!({"type": "section", "text": plain(letter.foot.as_str())}));
    }
    blocks.push(foot(frame));
    message(letter.title.as_str(), blocks)
}

/// Buttons that lead to these, if there are any.
fn buttons<'a>(row: &str, links: impl IntoIterator<Item = &'a Link>) -> Option<Value> {
    let links = links.into_iter().filter(|link| fits(&link.href));
    let buttons = links.enumerate().map(|(at, link)| {
        json!({"type": "button", "text": plain(&link.text.cut(BUTTON_MAX)), "url": link.href,
            "action_id": format!("{row}-{at}")})
    });
    let buttons: Vec<Value> = buttons.collect();
    (!buttons.is_empty()).then(|| json!({"type": "actions", "elements": buttons}))
}

/// Nothing is fetched for a preview: links of ours are for people.
fn message(text: &str, blocks: Vec<Value>) -> Value {
    json!({"text": escaped(text), "blocks": blocks, "unfurl_links": false, "unfurl_media": false})
}

fn foot(frame: &Frame) -> Value {
    let why = format!(
        "Why you got this: {}. To stop it, change {}/notifications",
        frame.why,
        frame.settings.base()
    );
    json!({"type": "context", "elements": [plain(&why)]})
}

fn plain(text: &str) -> Value {
    let text: String = text.chars().take(TEXT_MAX).collect();
    json!({"type": "plain_text", "text": text, "emoji": false})
}

fn fits(href: &str) -> bool {
    !href.is_empty() && href.len() <= URL_MAX
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

// Slack's limits; a message that breaks one is refused whole.
const HEADER_MAX: usize = 150;
const BUTTON_MAX: usize = 75;
const TEXT_MAX: usize = 2000;
const URL_MAX: usize = 3000;
