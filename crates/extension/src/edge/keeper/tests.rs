use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;

use super::*;

/// Secrets Manager and SSM by moto, which checks signatures here; ended when it is dropped.
struct Vaults {
    server: Child,
    url: String,
    id: String,
    secret: String,
}

impl Vaults {
    /// `None` with a printed reason where moto is not installed.
    fn start() -> Option<Self> {
        let Some(python) = python() else {
            eprintln!("skipped: moto's server is not installed; scripts/moto installs it");
            return None;
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/edge/keeper/vaults.py");
        let mut server = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(server.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let told: Json = serde_json::from_str(&line).expect("moto starts");
        let text = |key: &str| told[key].as_str().unwrap().to_owned();
        Some(Vaults {
            server,
            url: text("url"),
            id: text("id"),
            secret: text("secret"),
        })
    }

    fn variables(&self) -> Variables {
        Variables(BTreeMap::from([
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_ENDPOINT_URL", self.url.clone()),
            ("AWS_ACCESS_KEY_ID", self.id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret.clone()),
        ]))
    }
}

impl Drop for Vaults {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The interpreter that has it, where `scripts/moto` puts it.
#[allow(clippy::disallowed_methods)] // the edge where tests learn what is installed
fn python() -> Option<PathBuf> {
    let script = include_str!("../../../../../scripts/moto");
    let mut lines = script.lines();
    let version = lines.find_map(|line| line.strip_prefix("version="))?;
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    let python = cache.join(format!("throughline/tools/moto-{version}/bin/python"));
    python.is_file().then_some(python)
}

pub(in crate::edge) struct Variables(pub(in crate::edge) BTreeMap<&'static str, String>);

impl Source for Variables {
    fn value(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

fn keeper(name: KeyName, variables: Variables) -> Keeper {
    Keeper::new(name, Box::new(variables))
}

fn secret(name: &str) -> KeyName {
    KeyName::Secret(name.to_owned())
}

#[tokio::test]
async fn keys_are_looked_up_by_name_with_signatures_that_moto_accepts() {
    let Some(vaults) = Vaults::start() else {
        return;
    };
    for (name, key) in [
        (secret("plain"), Ok("key-of-secret")),
        (secret("several#throughline"), Ok("key-of-member")),
        (
            KeyName::Parameter("/a/parameter".to_owned()),
            Ok("key-of-parameter"),
        ),
        (
            secret("several"),
            Err("it has characters that no header may have"),
        ),
        (
            // moto's status; AWS answers 400.
            secret("nowhere"),
            Err("AWS answered 404 ResourceNotFoundException"),
        ),
    ] {
        let found = keeper(name.clone(), vaults.variables()).key().await;
        let key = key.map(str::to_owned);
        let key = key.map_err(|why| format!("no key: cannot look up {name}: {why}"));
        assert_eq!(found, key);
    }
    // The same with one letter of the secret key changed: it is the signature that moto looks at.
    let mut variables = vaults.variables();
    let wrong = format!("{}x", &vaults.secret[1..]);
    variables.0.insert("AWS_SECRET_ACCESS_KEY", wrong);
    let refused = keeper(secret("plain"), variables).key().await.unwrap_err();
    assert!(refused.contains("AWS answered 40"), "{refused}");
}

#[tokio::test]
async fn credentials_come_from_the_endpoint_where_no_variable_has_them() {
    let Some(vaults) = Vaults::start() else {
        return;
    };
    let mut variables = vaults.variables();
    variables.0.remove("AWS_ACCESS_KEY_ID");
    let (id, secret_key) = (&vaults.id, &vaults.secret);
    let body = format!(
        r#"{{"AccessKeyId":"{id}","SecretAccessKey":"{secret_key}","Expiration":"2999-01-01T00:00:00Z"}}"#
    );
    let (url, asked) = endpoint(body);
    variables.0.insert(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        format!("{url}/2021-04-23/credentials"),
    );
    variables
        .0
        .insert("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a-token".to_owned());
    let keeper = keeper(secret("plain"), variables);
    assert_eq!(keeper.key().await.as_deref(), Ok("key-of-secret"));
    let asked = asked.join().unwrap();
    assert!(
        asked.starts_with("GET /2021-04-23/credentials HTTP/1.1\r\n"),
        "{asked}"
    );
    assert!(asked.contains("authorization: a-token\r\n"), "{asked}");
    // The endpoint is gone, and nobody needs it: the key is known.
    assert_eq!(keeper.key().await.as_deref(), Ok("key-of-secret"));
    keeper.renew().await;
    assert!(
        keeper.key().await.is_err(),
        "after a restore all is asked anew"
    );
}

/// Answers one request.
fn endpoint(body: String) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).unwrap();
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    });
    (url, served)
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_not_asked_for_again_at_once() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let variables = Variables(BTreeMap::from([
        (
            "AWS_ENDPOINT_URL_SECRETS_MANAGER",
            format!("http://{address}"),
        ),
        ("AWS_ACCESS_KEY_ID", "id".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "very-secret".to_owned()),
    ]));
    let keeper = keeper(secret("plain"), variables);
    let first = keeper.key().await.unwrap_err();
    assert!(first.contains("cannot connect to 127.0.0.1"), "{first}");
    let second = keeper.key().await.unwrap_err();
    assert!(second.contains("tried again in 15 s"), "{second}");
    assert!(!format!("{keeper:?}{first}{second}").contains("very-secret"));
}

#[tokio::test]
async fn without_credentials_nothing_is_asked() {
    let keeper = keeper(secret("plain"), Variables(BTreeMap::new()));
    let why = "no key: cannot look up secret plain: there are no AWS credentials";
    assert_eq!(keeper.key().await, Err(why.to_owned()));
}
