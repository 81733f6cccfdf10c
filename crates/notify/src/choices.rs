//! What whoever gets a message can choose to be done about it: a link for each, made for them alone.
//!
//! Links are made when a message is sent and not before: they open for a day, and a message may have waited longer for
//! the end of quiet hours. Several things that are told at once have none.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::notice::{Link, Notice, Phase};
use crate::outbox::Content;
use crate::settings::{Channel, Receiver};

/// Makes such links.
pub trait Choices: Send + Sync + 'static {
    /// The links of one person; none of what nothing can be done about. Their addresses are paths from the root of the
    /// page on. It is asked before each attempt to send, and must not make others each time.
    fn choices<'a>(&'a self, notice: &'a Notice, to: Addressee<'a>) -> Choosing<'a>;
}

/// What asking for links becomes.
pub type Choosing<'a> = Pin<Box<dyn Future<Output = Vec<Link>> + Send + 'a>>;

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addressee<'a> {
    /// As mutes name them: a mail address, or the receiver.
    pub person: &'a str,
    /// How they are told, as in the settings, but for mails: `mail`, `slack`.
    pub channel: &'static str,
}

/// The notice that somebody can choose about, and who that is. Nobody can where an alert is passed on to whomever it
/// concerns, nor about what has ended.
pub(crate) fn asked<'a>(
    content: &'a Content,
    receiver: &'a Receiver,
    address: Option<&'a str>,
) -> Option<(&'a Notice, Addressee<'a>)> {
    let Content::Notice(notice, _) = content else {
        return None;
    };
    let channel = match receiver.channel {
        Channel::Email(_) => "mail",
        Channel::Slack(_) => "slack",
        Channel::PagerDuty(_) => "pagerduty",
        Channel::Webhook(_) => "webhook",
        Channel::Alertmanager(_) => return None,
    };
    let person = address.unwrap_or(&receiver.name);
    match notice.phase {
        Phase::Opened | Phase::Grew => Some((notice, Addressee { person, channel })),
        Phase::Acknowledged | Phase::Closed => None,
    }
}

/// The same with choices before what else can be done. What can be chosen needs no other link of that name.
pub(crate) fn with(content: &Content, choices: Vec<Link>, base: &str) -> Content {
    let mut content = content.clone();
    if let Content::Notice(notice, _) = &mut content {
        let others = std::mem::take(&mut notice.actions).into_iter();
        let others = others.filter(|it| choices.iter().all(|choice| choice.text != it.text));
        let others: Vec<Link> = others.collect();
        let choices = choices.into_iter().take(CHOICES_MAX).map(|choice| Link {
            href: format!("{base}{}", choice.href),
            ..choice
        });
        notice.actions = choices.chain(others).collect();
    }
    content
}

/// How long a message waits for its links.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Of one message.
pub const CHOICES_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use serde_json::json;
    use throughline_insight::detect::Severity;

    use super::*;
    use crate::letter::digest;
    use crate::testing::{notice, settings};

    #[test]
    fn whoever_is_told_that_it_began_can_choose() {
        let smtp = json!({"host": "mail.example.com"});
        let settings = settings(json!({"receivers": [
            {"name": "mail", "channel": {"type": "email", "to": ["ops@example.com"], "from": "t@example.com", "smtp": smtp}},
            {"name": "chat", "channel": {"type": "slack", "url": "https://slack.example"}},
            {"name": "page", "channel": {"type": "pagerduty", "routing_key": "R0UT1NG"}},
            {"name": "hook", "channel": {"type": "webhook", "url": "https://e.com", "secret": "sixteen letters!"}},
            {"name": "am", "channel": {"type": "alertmanager", "url": "http://am:9093"}},
        ], "routes": [{"name": "all", "receivers": ["mail", "chat", "page", "hook", "am"]}]}));
        let who = |receiver: &str, content: &Content| {
            let address = (receiver == "mail").then_some("ops@example.com");
            let receiver = settings.receiver(receiver).unwrap();
            let asked = asked(content, receiver, address);
            asked.map(|(_, to)| format!("{}:{}", to.channel, to.person))
        };
        let told = |phase| Content::of_test(&notice("incident-1", phase, Severity::Warning));
        for phase in [Phase::Opened, Phase::Grew] {
            let told = told(phase);
            let all = ["mail", "chat", "page", "hook", "am"].map(|it| who(it, &told));
            let all: Vec<_> = all.into_iter().flatten().collect();
            assert_eq!(
                all,
                [
                    "mail:ops@example.com",
                    "slack:chat",
                    "pagerduty:page",
                    "webhook:hook"
                ]
            );
        }
        assert_eq!(who("mail", &told(Phase::Closed)), None);
        assert_eq!(who("page", &told(Phase::Acknowledged)), None);
        let open = notice("incident-1", Phase::Opened, Severity::Warning);
        let letter = Content::Letter(digest(&[&open, &open], 0));
        assert_eq!(who("mail", &letter), None);
    }

    #[test]
    fn choices_come_first_and_are_few() {
        let link = |text: &str, href: &str| Link {
            text: text.into(),
            href: href.to_owned(),
        };
        let mut told = notice("incident-1", Phase::Opened, Severity::Warning);
        told.actions = vec![
            link(
                "Choose what to do about it",
                "https://t.example/incidents/1",
            ),
            link("Don't bother me again", "https://t.example/notifications"),
        ];
        let told = Content::of_test(&told);
        let shown = |choices: Vec<Link>| {
            let Content::Notice(notice, _) = with(&told, choices, "https://t.example") else {
                panic!("it is one notice");
            };
            let shown = notice.actions.into_iter();
            shown
                .map(|it| format!("{} {}", it.text, it.href))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            shown(vec![
                link("Don't bother me again", "/act/1?k=a"),
                link("Shut it down: stop pay for 1 hour", "/act/2?k=b"),
            ]),
            [
                "Don't bother me again https://t.example/act/1?k=a",
                "Shut it down: stop pay for 1 hour https://t.example/act/2?k=b",
                "Choose what to do about it https://t.example/incidents/1",
            ]
        );
        assert_eq!(shown(vec![link("a", "/act/1"); 9]).len(), CHOICES_MAX + 2);
        assert_eq!(shown(Vec::new()).len(), 2);
    }
}
