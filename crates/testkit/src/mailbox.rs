//! A mail server on loopback that takes every mail and keeps it: enough of SMTP for a client that speaks it rightly,
//! and an error for one that does not.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A mail that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// From whom, as the envelope says.
    pub from: String,
    /// To whom, as the envelope says.
    pub to: Vec<String>,
    /// The mail as it was sent, with `\n` for the ends of lines.
    pub text: String,
}

impl Mail {
    /// A header, unfolded; empty if it is not there.
    pub fn header(&self, name: &str) -> String {
        let head = self.text.split("\n\n").next().unwrap_or_default();
        let head = head.replace("\n ", " ").replace("\n\t", " ");
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, text)| text.to_owned()).unwrap_or_default()
    }

    /// Everything behind the head, with quoted-printable read.
    pub fn body(&self) -> String {
        let body = self.text.split_once("\n\n").map_or("", |(_, body)| body);
        let joined = body.replace("=\n", "");
        let mut bytes = Vec::with_capacity(joined.len());
        let mut rest = joined.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            let hex = after.get(..2).and_then(|it| std::str::from_utf8(it).ok());
            let byte = hex.and_then(|it| u8::from_str_radix(it, 16).ok());
            match (first, byte) {
                (b'=', Some(byte)) => {
                    bytes.push(byte);
                    rest = &after[2..];
                }
                _ => {
                    bytes.push(*first);
                    rest = after;
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The server.
pub struct Mailbox {
    address: SocketAddr,
    mails: watch::Receiver<Vec<Mail>>,
    /// What is said to `MAIL FROM`, instead of taking it.
    refusal: Arc<Mutex<Option<String>>>,
    serving: JoinHandle<()>,
}

impl Mailbox {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// No port can be bound.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port of loopback can be bound");
        let address = listener.local_addr().expect("it is bound");
        let (kept, mails) = watch::channel(Vec::new());
        let refusal = Arc::<Mutex<Option<String>>>::default();
        let of_serving = Arc::clone(&refusal);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, refusal) = (kept.clone(), Arc::clone(&of_serving));
                tokio::spawn(async move {
                    let _ = talk(stream, &kept, &refusal).await; // a client that goes is its own affair
                });
            }
        });
        Mailbox {
            address,
            mails,
            refusal,
            serving,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says this to whoever wants to send, such as `451 later`; takes mails again with none.
    pub fn refuse(&self, with: Option<&str>) {
        let mut refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        *refusal = with.map(str::to_owned);
    }

    /// The mails so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.borrow().clone()
    }

    /// Waits for so many mails.
    ///
    /// # Panics
    /// They do not come within half a minute.
    pub async fn wait_for(&self, count: usize) -> Vec<Mail> {
        let mut mails = self.mails.clone();
        let waiting = mails.wait_for(|mails| mails.len() >= count);
        let come = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        match come {
            Ok(Ok(mails)) => mails.clone(),
            _ => panic!("{count} mails do not come: {:#?}", self.mails()),
        }
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn talk(
    stream: TcpStream,
    kept: &watch::Sender<Vec<Mail>>,
    refusal: &Mutex<Option<String>>,
) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mailbox ESMTP\r\n").await?;
    let mut mail = Mail::default();
    while let Some(line) = lines.next_line().await? {
        let upper = line.to_ascii_uppercase();
        let between = |line: &str| {
            let begin = line.find('<').map_or(0, |at| at + 1);
            line[begin..]
                .split('>')
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let answer = if upper.starts_with("EHLO ") {
            "250-mailbox\r\n250-8BITMIME\r\n250 SIZE 1000000".to_owned()
        } else if upper.starts_with("MAIL FROM:") {
            let refusal = refusal
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            mail.from = between(&line);
            refusal.unwrap_or_else(|| "250 ok".to_owned())
        } else if upper.starts_with("RCPT TO:") {
            mail.to.push(between(&line));
            "250 ok".to_owned()
        } else if upper == "DATA" {
            write.write_all(b"354 go on\r\n").await?;
            while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                mail.text.push_str(line.strip_prefix('.').unwrap_or(&line));
                mail.text.push('\n');
            }
            let taken = std::mem::take(&mut mail);
            kept.send_modify(|mails| mails.push(taken));
            "250 taken".to_owned()
        } else if upper == "QUIT" {
            write.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else if upper == "RSET" || upper == "NOOP" {
            "250 ok".to_owned()
        } else {
            format!("500 what is {line}?")
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
