//! Which doors there are, and where they are inside.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use crate::source::Door;

/// A door and its address in a world of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) name: String,
    host: String,
    port: u16,
    pub(super) inside: SocketAddrV4,
}

/// A door that nobody declared: what leads out was found in the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) target: String,
}

/// A door that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadDoor {
    name: String,
    why: String,
}

impl BadDoor {
    pub(super) fn new(name: &str, why: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            why: why.into(),
        }
    }
}

impl fmt::Display for BadDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot make the door {}: {}", self.name, self.why)
    }
}

impl std::error::Error for BadDoor {}

/// Gives every door its place. What was found gives way to what was declared.
pub(super) fn plan(doors: &[Door], found: &[Found]) -> Result<Vec<Planned>, BadDoor> {
    let mut planned: Vec<Planned> = Vec::new();
    for door in doors {
        let (host, port) = split(&door.target).ok_or_else(|| {
            BadDoor::new(&door.name, format!("{:?} is not host:port", door.target))
        })?;
        if let Some(twin) = planned.iter().find(|other| other.leads_to(host, port)) {
            let why = format!("the door {} leads to {} already", twin.name, door.target);
            return Err(BadDoor::new(&door.name, why));
        }
        if planned.iter().any(|other| other.name == door.name) {
            return Err(BadDoor::new(&door.name, "there is another of this name"));
        }
        let next = place(&planned, &door.name, host, port)?;
        planned.push(next);
    }
    for door in found {
        let Some((host, port)) = split(&door.target) else {
            continue;
        };
        if planned.iter().any(|other| other.leads_to(host, port)) {
            continue;
        }
        let names = (1..).map(|number| match number {
            1 => door.name.clone(),
            _ => format!("{}-{number}", door.name),
        });
        let free = names
            .take(DOORS_MAX + 1)
            .find(|name| planned.iter().all(|other| other.name != *name));
        let next = place(&planned, &free.unwrap_or_default(), host, port)?;
        planned.push(next);
    }
    Ok(planned)
}

/// A host with a name has one address for all its ports, because `/etc/hosts` can only say one.
fn place(planned: &[Planned], name: &str, host: &str, port: u16) -> Result<Planned, BadDoor> {
    let same_host = planned
        .iter()
        .find(|other| is_name(host) && other.host == host)
        .map(|other| *other.inside.ip());
    let taken: BTreeSet<_> = planned.iter().map(|other| *other.inside.ip()).collect();
    let address = match same_host {
        Some(address) => address,
        None => (1..=u8::MAX)
            .map(|last| Ipv4Addr::new(127, 0, 1, last))
            .take(DOORS_MAX)
            .find(|address| !taken.contains(address))
            .ok_or_else(|| BadDoor::new(name, format!("there are {DOORS_MAX} already")))?,
    };
    // Extensions listen on these ports, some of them on all addresses, which would not go together.
    let inside_port = if is_name(host) || !FIXED_PORTS.contains(&port) {
        port
    } else {
        port + 10_000
    };
    Ok(Planned {
        name: name.to_owned(),
        host: host.to_owned(),
        port,
        inside: SocketAddrV4::new(address, inside_port),
    })
}

impl Planned {
    /// `host:port` outside.
    pub(super) fn target(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn leads_to(&self, host: &str, port: u16) -> bool {
        let same_host = self.host == host || (is_loopback(&self.host) && is_loopback(host));
        same_host && self.port == port
    }

    /// Replaces the address outside by the one inside. Where the name leads to the door by itself it stays, and so it does
    /// in an `https` URL, whose certificate is for the name.
    pub(super) fn translate(&self, text: &str, inside: SocketAddrV4) -> String {
        if is_name(&self.host) && inside == self.inside {
            return text.to_owned();
        }
        let spellings = if is_loopback(&self.host) {
            vec!["127.0.0.1", "localhost", "[::1]"]
        } else {
            vec![self.host.as_str()]
        };
        let secure_stays = is_name(&self.host);
        spellings.into_iter().fold(text.to_owned(), |text, host| {
            replace(
                &text,
                &format!("{host}:{}", self.port),
                &inside.to_string(),
                secure_stays,
            )
        })
    }
}

/// Replaces whole addresses: neither the end of a longer name nor the beginning of a longer port.
fn replace(text: &str, from: &str, to: &str, secure_stays: bool) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, found) = rest.split_at(at);
        let after = &found[from.len()..];
        replaced.push_str(before);
        let begins = !replaced
            .chars()
            .next_back()
            .is_some_and(|before| before.is_alphanumeric() || matches!(before, '.' | '-' | '_'));
        let ends = !after.starts_with(|next: char| next.is_ascii_digit());
        let stays = secure_stays && replaced.ends_with("https://");
        replaced.push_str(if begins && ends && !stays { to } else { from });
        rest = after;
    }
    replaced.push_str(rest);
    replaced
}

/// What leads out by itself: the AWS API, the AWS endpoint, and the loopback addresses that variables name. In the
/// variables of a function an address with a port on which extensions listen means the extension, as on Lambda.
pub(crate) fn found<'a>(
    api: SocketAddr,
    aws_endpoint: Option<&str>,
    shared: &BTreeMap<String, String>,
    of_functions: impl Iterator<Item = &'a BTreeMap<String, String>>,
) -> Vec<Found> {
    let mut found = vec![Found {
        name: "lambda".to_owned(),
        target: api.to_string(),
    }];
    found.extend(aws_endpoint.and_then(|endpoint| {
        let uri = endpoint.parse::<http::Uri>().ok()?;
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        Some(Found {
            name: "aws".to_owned(),
            target: format!("{}:{port}", uri.host()?),
        })
    }));
    found.extend(named_by(shared, &[]));
    for variables in of_functions {
        found.extend(named_by(variables, &FIXED_PORTS));
    }
    found
}

/// Doors to the loopback addresses that variables name, but for those with these ports.
fn named_by(variables: &BTreeMap<String, String>, except: &[u16]) -> Vec<Found> {
    let named = variables.iter().flat_map(|(key, value)| {
        let targets = found_in(value).into_iter();
        targets.map(|target| Found {
            name: key.to_lowercase(),
            target,
        })
    });
    let leads_out =
        |found: &Found| split(&found.target).is_some_and(|(_, port)| !except.contains(&port));
    named.filter(leads_out).collect()
}

/// The addresses of this machine's loopback in a text, each as `host:port`.
fn found_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(':') {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let host = before
            .rsplit(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')))
            .next()
            .unwrap_or_default();
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let port = after[..digits].parse::<u16>().unwrap_or(0);
        if is_loopback(host) && port > 0 {
            found.push(format!("{host}:{port}"));
        } else if before.ends_with("[::1]") && port > 0 {
            found.push(format!("127.0.0.1:{port}"));
        }
    }
    found
}

/// What `/etc/hosts` says inside.
pub(super) fn hosts<'a>(doors: impl Iterator<Item = &'a Planned>) -> String {
    let mut text =
        "127.0.0.1 localhost sandbox.localdomain sandbox\n::1 localhost ip6-localhost\n".to_owned();
    let mut told = BTreeSet::new();
    for door in doors.filter(|door| is_name(&door.host)) {
        if told.insert(&door.host) {
            text += &format!("{} {}\n", door.inside.ip(), door.host);
        }
    }
    text
}

fn split(target: &str) -> Option<(&str, u16)> {
    let (host, port) = target.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (!host.is_empty() && host.chars().all(allowed)).then_some((host, port))
}

fn is_loopback(host: &str) -> bool {
    let address = host.parse::<Ipv4Addr>();
    host == "localhost" || address.is_ok_and(|address| address == Ipv4Addr::LOCALHOST)
}

fn is_name(host: &str) -> bool {
    !is_loopback(host) && host.parse::<Ipv4Addr>().is_err()
}

/// One address each, and room to spare in the network that they are in.
const DOORS_MAX: usize = 200;
/// Where what runs inside listens: the X-Ray daemon, OTLP, and two agents that fixed their ports; the Runtime API.
const FIXED_PORTS: [u16; 8] = [2000, 4317, 4318, 8124, 8125, 8126, 8200, 9001];

#[cfg(test)]
mod tests {
    use super::*;

    fn door(name: &str, target: &str) -> Door {
        Door {
            name: name.to_owned(),
            target: target.to_owned(),
        }
    }

    fn found(name: &str, target: &str) -> Found {
        Found {
            name: name.to_owned(),
            target: target.to_owned(),
        }
    }

    #[test]
    fn every_door_has_a_place() {
        let doors = [
            door("backend", "127.0.0.1:4318"),
            door("db", "db.example.com:5432"),
            door("db admin", "db.example.com:8080"),
            door("cache", "10.0.0.7:6379"),
        ];
        let found = [
            found("endpoint", "localhost:4318"),
            found("lambda", "127.0.0.1:5000"),
            found("cache", "localhost:7000"),
        ];
        let planned = plan(&doors, &found).unwrap();
        let told: Vec<_> = planned
            .iter()
            .map(|door| format!("{} {} {}", door.name, door.target(), door.inside))
            .collect();
        assert_eq!(
            told,
            [
                "backend 127.0.0.1:4318 127.0.1.1:14318",
                "db db.example.com:5432 127.0.1.2:5432",
                "db admin db.example.com:8080 127.0.1.2:8080",
                "cache 10.0.0.7:6379 127.0.1.3:6379",
                "lambda 127.0.0.1:5000 127.0.1.4:5000",
                "cache-2 localhost:7000 127.0.1.5:7000",
            ]
        );
        assert!(hosts(planned.iter()).ends_with("\n127.0.1.2 db.example.com\n"));
    }

    #[test]
    fn what_cannot_be_a_door_says_why() {
        let cases = [
            (
                vec![door("a", "nowhere")],
                "cannot make the door a: \"nowhere\" is not host:port",
            ),
            (
                vec![door("a", "x:1"), door("a", "x:2")],
                "cannot make the door a: there is another of this name",
            ),
            (
                vec![door("a", "127.0.0.1:1"), door("b", "localhost:1")],
                "cannot make the door b: the door a leads to localhost:1 already",
            ),
        ];
        for (doors, expected) in cases {
            assert_eq!(plan(&doors, &[]).unwrap_err().to_string(), expected);
        }
        let many: Vec<_> = (0..=DOORS_MAX)
            .map(|number| door(&number.to_string(), &format!("host{number}:1")))
            .collect();
        assert!(plan(&many, &[]).is_err());
    }

    #[test]
    fn addresses_are_replaced_whole() {
        let doors = [door("a", "localhost:80"), door("b", "example.com:443")];
        let planned = plan(&doors, &[]).unwrap();
        let elsewhere = "127.0.0.1:9".parse().unwrap();
        let cases = [
            ("http://localhost:80/x", "http://127.0.1.1:80/x"),
            ("127.0.0.1:80,[::1]:80", "127.0.1.1:80,127.0.1.1:80"),
            ("127.0.0.1:8000", "127.0.0.1:8000"),
            ("mylocalhost:80", "mylocalhost:80"),
        ];
        for (text, expected) in cases {
            assert_eq!(planned[0].translate(text, planned[0].inside), expected);
        }
        let text = "https://example.com:443 http://example.com:443";
        assert_eq!(planned[1].translate(text, planned[1].inside), text);
        assert_eq!(
            planned[1].translate(text, elsewhere),
            "https://example.com:443 http://127.0.0.1:9"
        );
    }

    #[test]
    fn loopback_addresses_are_found_in_any_text() {
        let cases = [
            ("http://127.0.0.1:4318/v1", vec!["127.0.0.1:4318"]),
            (
                "localhost:1,localhost:2",
                vec!["localhost:1", "localhost:2"],
            ),
            ("postgres://me:pw@localhost:5432/db", vec!["localhost:5432"]),
            ("http://[::1]:77", vec!["127.0.0.1:77"]),
            ("http://localhost/", vec![]),
            ("https://example.com:443", vec![]),
            ("notlocalhost:1 a:b::", vec![]),
            ("12:30", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(found_in(text), expected, "{text}");
        }
    }
}
