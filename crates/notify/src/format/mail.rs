//! A mail: text and HTML, in one thread with those of the same before.

use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use lettre::{Address, address::Envelope};

use super::{FormatError, Frame, words};
use crate::incident::INCIDENT;
use crate::letter::Letter;
use crate::notice::{Line, Link, Notice};
use crate::outbox::{Content, Thread};
use crate::settings::{Email, Smtp};
use crate::stop;

/// A mail as it goes out. It holds a password, and cannot be printed.
pub struct Mail {
    /// The server that takes it.
    pub smtp: Smtp,
    /// The password there.
    pub password: Option<String>,
    /// From whom and to whom, for the server.
    pub envelope: Envelope,
    /// The mail itself.
    pub bytes: Vec<u8>,
}

/// What a mail says, before it is text or HTML.
struct Body<'a> {
    title: &'a Line,
    state: String,
    colour: &'static str,
    cause: Option<String>,
    also: Vec<&'a str>,
    affected: Option<String>,
    sections: Vec<(&'static str, Vec<Link>)>,
    letter: Option<&'a Letter>,
    why: &'a str,
    stop: String,
    settings: String,
}

pub(super) fn mail(email: &Email, content: &Content, frame: &Frame) -> Result<Mail, FormatError> {
    let to = frame.address.unwrap_or_default();
    let wrong = |text: &str| FormatError::Address(text.to_owned());
    let address: Address = to.parse().map_err(|_| wrong(to))?;
    let from: Mailbox = email.from.parse().map_err(|_| wrong(&email.from))?;
    let stop = stop::link(frame.settings.base(), frame.key, &frame.receiver.name, to);
    let ids = Ids::new(content, &address, &from);
    let body = Body::new(content, frame, stop.clone());
    let subject = match content {
        // Mail programs take what has another subject for another thread.
        Content::Notice(_, thread) if thread.before > 0 => format!("Re: {}", thread.title),
        Content::Notice(notice, _) => notice.title.to_string(),
        Content::Letter(letter) => letter.title.to_string(),
    };
    let envelope = Envelope::new(Some(from.email.clone()), vec![address.clone()])?;
    let mut message = Message::builder()
        .from(from)
        .to(Mailbox::new(None, address))
        .subject(subject)
        .date(SystemTime::UNIX_EPOCH + Duration::from_nanos(frame.now.0))
        .message_id(Some(ids.this.clone()));
    if let Some(root) = &ids.root {
        message = message.in_reply_to(root.clone()).references(root.clone());
    }
    let raw = [
        ("List-Unsubscribe", format!("<{stop}>")),
        (
            "List-Unsubscribe-Post",
            "List-Unsubscribe=One-Click".to_owned(),
        ),
        // No vacation replies to a machine.
        ("Auto-Submitted", "auto-generated".to_owned()),
    ];
    for (name, text) in raw {
        // These are ASCII, and an address must not be broken or encoded.
        let name = HeaderName::new_from_ascii_str(name);
        message = message.raw_header(HeaderValue::dangerous_new_pre_encoded(
            name,
            text.clone(),
            text,
        ));
    }
    let part = |kind: ContentType, text: String| SinglePart::builder().header(kind).body(text);
    let parts = MultiPart::alternative()
        .boundary(ids.boundary())
        .singlepart(part(ContentType::TEXT_PLAIN, body.text()))
        .singlepart(part(ContentType::TEXT_HTML, body.html()));
    let password = email.smtp.password.as_ref();
    Ok(Mail {
        smtp: email.smtp.clone(),
        password: password.map(|it| it.reveal(frame.variables)).transpose()?,
        envelope,
        bytes: message.multipart(parts)?.formatted(),
    })
}

/// By what mail programs know a mail and its thread: the same when it is sent again.
struct Ids {
    this: String,
    root: Option<String>,
    name: String,
}

impl Ids {
    fn new(content: &Content, to: &Address, from: &Mailbox) -> Self {
        let (about, before) = match content {
            Content::Notice(notice, thread) => (notice.about.as_str(), thread.before),
            Content::Letter(letter) => (letter.about.as_str(), 0),
        };
        let is_plain = |it: char| it.is_ascii_alphanumeric() || it == '-';
        let about = match about.len() <= ID_MAX && about.chars().all(is_plain) {
            true => about.to_owned(),
            false => stop::digest(about),
        };
        let name = format!("{about}.{}", stop::digest(to.as_ref()));
        let domain = from.email.domain();
        let root = format!("<{name}@{domain}>");
        match before {
            0 => Ids {
                this: root,
                root: None,
                name,
            },
            before => Ids {
                this: format!("<{name}.{before}@{domain}>"),
                root: Some(root),
                name: format!("{name}.{before}"),
            },
        }
    }

    /// What stands between the parts; whatever these say, it is in neither, as both are encoded by lines.
    fn boundary(&self) -> String {
        format!("=_{}", stop::digest(&self.name))
    }
}

impl<'a> Body<'a> {
    fn new(content: &'a Content, frame: &Frame<'a>, stop: String) -> Self {
        let settings = format!("{}/notifications", frame.settings.base());
        let empty = Body {
            title: match content {
                Content::Notice(notice, _) => &notice.title,
                Content::Letter(letter) => &letter.title,
            },
            state: String::new(),
            colour: "#57606a",
            cause: None,
            also: Vec::new(),
            affected: None,
            sections: Vec::new(),
            letter: None,
            why: frame.why,
            stop,
            settings,
        };
        match content {
            Content::Notice(notice, thread) => empty.of_notice(notice, thread, frame),
            Content::Letter(letter) => Body {
                letter: Some(letter),
                ..empty
            },
        }
    }

    fn of_notice(self, notice: &'a Notice, thread: &Thread, frame: &Frame) -> Self {
        let offset = frame.receiver.utc_offset_minutes;
        let page = Link {
            text: match notice.about.starts_with(INCIDENT) {
                true => "The whole incident".into(),
                false => "Its page".into(),
            },
            href: notice.page.clone(),
        };
        let evidence = words::evidence(notice).iter().cloned();
        let sections = vec![
            ("Evidence", evidence.chain([page]).collect()),
            (CHOOSE, words::actions(notice).to_vec()),
        ];
        Body {
            state: words::state(notice, thread.was.as_deref(), offset),
            colour: words::colour(notice),
            cause: words::cause(notice),
            also: words::also(notice).collect(),
            affected: words::affected(notice),
            sections,
            ..self
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", self.title);
        let mut add = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        if !self.state.is_empty() {
            add(&self.state);
        }
        if let Some(cause) = &self.cause {
            add("");
            add(cause);
        }
        if !self.also.is_empty() {
            add("");
            self.also
                .iter()
                .for_each(|line| add(&format!("Also: {line}")));
        }
        if let Some(affected) = &self.affected {
            add("");
            add(affected);
        }
        for (name, links) in self.sections.iter().filter(|(_, links)| !links.is_empty()) {
            add("");
            add(&format!("{name}:"));
            links
                .iter()
                .for_each(|it| add(&format!("- {}: {}", it.text, it.href)));
        }
        for item in self.letter.iter().flat_map(|letter| &letter.items) {
            add("");
            add(&format!("- {}", item.title));
            add(&format!("  {}", item.note));
            if !item.href.is_empty() {
                add(&format!("  {}", item.href));
            }
        }
        if let Some(letter) = self.letter.filter(|it| !it.foot.as_str().is_empty()) {
            add("");
            add(letter.foot.as_str());
        }
        add("");
        add("-- ");
        add(&format!("Why you got this: {}.", self.why));
        add(&format!("Change what you get: {}", self.settings));
        add(&format!("No more of these mails: {}", self.stop));
        text
    }

    /// Plain enough for every mail program: no images, no styles but those of an element, nothing that is fetched.
    fn html(&self) -> String {
        let e = escaped;
        let link = |it: &Link| {
            format!(
                "<li><a href=\"{}\">{}</a></li>",
                e(&it.href),
                e(it.text.as_str())
            )
        };
        let mut html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"color-scheme\" content=\"light dark\"></head>\
             <body style=\"font:16px/1.5 system-ui,sans-serif;max-width:40em\">\
             <h1 style=\"font-size:20px;border-left:4px solid {};padding-left:12px\">{}</h1>",
            self.colour,
            e(self.title.as_str())
        );
        let mut paragraph = |text: &str| html.push_str(&format!("<p>{}</p>", e(text)));
        if !self.state.is_empty() {
            paragraph(&self.state);
        }
        if let Some(cause) = &self.cause {
            paragraph(cause);
        }
        self.also
            .iter()
            .for_each(|line| paragraph(&format!("Also: {line}")));
        if let Some(affected) = &self.affected {
            paragraph(affected);
        }
        for (name, links) in self.sections.iter().filter(|(_, links)| !links.is_empty()) {
            let links: String = links.iter().map(link).collect();
            html.push_str(&format!(
                "<h2 style=\"font-size:16px\">{name}</h2><ul>{links}</ul>"
            ));
        }
        if let Some(letter) = self.letter {
            let item = |it: &crate::letter::Item| {
                let title = match it.href.as_str() {
                    "" => e(it.title.as_str()),
                    href => format!("<a href=\"{}\">{}</a>", e(href), e(it.title.as_str())),
                };
                format!("<li>{title}<br>{}</li>", e(it.note.as_str()))
            };
            let items: String = letter.items.iter().map(item).collect();
            html.push_str(&format!("<ul>{items}</ul>"));
            if !letter.foot.as_str().is_empty() {
                html.push_str(&format!("<p>{}</p>", e(letter.foot.as_str())));
            }
        }
        html.push_str(&format!(
            "<hr><p style=\"font-size:14px\">Why you got this: {}.<br><a href=\"{}\">Change what you get</a> · \
             <a href=\"{}\">No more of these mails</a></p></body></html>\n",
            e(self.why),
            e(&self.settings),
            e(&self.stop)
        ));
        html
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// People open what does something only if they know that opening it does not.
const CHOOSE: &str = "What you can do (each is shown first, and nothing is done by opening it)";
/// Of what a mail is about, as it stands in ids.
const ID_MAX: usize = 60;
