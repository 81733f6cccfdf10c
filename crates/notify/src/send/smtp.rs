//! Mails, and what the answers of their server mean.

use lettre::Transport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as Speak, TlsParameters};
use lettre::transport::smtp::{Error, SmtpTransport};

use super::{Answer, PATIENCE, trust};
use crate::format::Mail;
use crate::notice::Line;
use crate::settings::{Smtp, Tls};

/// Sends on a thread that may block.
pub(super) async fn send(mail: Mail) -> Answer {
    let sent = tokio::task::spawn_blocking(move || send_now(mail)).await;
    sent.unwrap_or_else(|_| Answer::later("sending ended badly".to_owned(), None))
}

fn send_now(mail: Mail) -> Answer {
    let transport = match transport(&mail.smtp, mail.password) {
        Ok(transport) => transport,
        Err(error) => return Answer::refused(said(&error.to_string())),
    };
    match transport.send_raw(&mail.envelope, &mail.bytes) {
        Ok(answer) => {
            let lines: Vec<&str> = answer.message().collect();
            Answer::sent(said(&format!("{} {}", answer.code(), lines.join(" "))))
        }
        Err(error) if error.is_permanent() => Answer::refused(said(&why(&error))),
        Err(error) => Answer::later(said(&why(&error)), None),
    }
}

fn transport(smtp: &Smtp, password: Option<String>) -> Result<SmtpTransport, Error> {
    let tls = match smtp.tls {
        Tls::StartTls => Speak::Required(parameters(smtp)?),
        Tls::Tls => Speak::Wrapper(parameters(smtp)?),
        Tls::None => Speak::None,
    };
    let builder = SmtpTransport::builder_dangerous(&smtp.host)
        .port(smtp.port())
        .tls(tls)
        .timeout(Some(PATIENCE));
    Ok(match (&smtp.username, password) {
        (Some(username), Some(password)) => {
            builder.credentials(Credentials::new(username.clone(), password))
        }
        _ => builder,
    }
    .build())
}

fn parameters(smtp: &Smtp) -> Result<TlsParameters, Error> {
    let mut builder = TlsParameters::builder(smtp.host.clone());
    for authority in trust::of_machine() {
        builder = builder.add_root_certificate(Certificate::from_der(authority.to_vec())?);
    }
    builder.build()
}

fn why(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

fn said(text: &str) -> String {
    Line::new(text).to_string()
}
