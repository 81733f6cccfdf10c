//! What was found within the last minute, in Redis where one runs. Whatever is wrong with it, nothing is found there.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A Redis, or none.
#[derive(Debug)]
pub(crate) struct Cache {
    address: Option<String>,
}

impl Cache {
    /// The one at `redis://HOST:PORT`.
    pub(crate) fn at(url: Option<&str>) -> Self {
        let address = url.and_then(|url| url.strip_prefix("redis://"));
        Self {
            address: address.map(str::to_owned),
        }
    }

    pub(crate) async fn get(&self, key: &str) -> Option<String> {
        self.ask(&["GET", key]).await
    }

    pub(crate) async fn put(&self, key: &str, text: &str) {
        self.ask(&["SET", key, text, "EX", KEPT_SECONDS]).await;
    }

    async fn ask(&self, command: &[&str]) -> Option<String> {
        let answered = timeout(PATIENCE, ask(self.address.as_deref()?, command)).await;
        match answered.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(%error, "the cache does not answer");
                None
            }
        }
    }
}

async fn ask(address: &str, command: &[&str]) -> io::Result<Option<String>> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    stream.write_all(written(command).as_bytes()).await?;
    let mut head = String::new();
    (&mut stream)
        .take(HEAD_BYTES_MAX)
        .read_line(&mut head)
        .await?;
    let length = head.trim_end().strip_prefix('$').map(str::parse::<usize>);
    let Some(Ok(length @ ..=TEXT_BYTES_MAX)) = length else {
        return Ok(None); // nothing there, or something else than a text
    };
    let mut text = vec![0; length];
    stream.read_exact(&mut text).await?;
    String::from_utf8(text)
        .map(Some)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// A command in Redis' protocol.
fn written(command: &[&str]) -> String {
    let parts = command.iter();
    let parts: String = parts
        .map(|part| format!("${}\r\n{part}\r\n", part.len()))
        .collect();
    format!("*{}\r\n{parts}", command.len())
}

const KEPT_SECONDS: &str = "60";
const PATIENCE: Duration = Duration::from_millis(200);
const HEAD_BYTES_MAX: u64 = 64;
const TEXT_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What a cache says that is answered so.
    async fn answered(answer: &'static str) -> Option<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 1024];
            let length = stream.read(&mut asked).await.unwrap();
            assert_eq!(&asked[..length], b"*2\r\n$3\r\nGET\r\n$4\r\nthai\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        Cache::at(Some(&url)).get("thai").await
    }

    #[tokio::test]
    async fn a_text_is_found_and_everything_else_is_nothing() {
        let cases = [
            ("$2\r\n[]\r\n", Some("[]")),
            ("$-1\r\n", None),
            ("-ERR unknown command\r\n", None),
            ("$9\r\ncut", None),
            ("$99999999\r\n", None),
            ("", None),
        ];
        for (answer, text) in cases {
            assert_eq!(answered(answer).await.as_deref(), text, "{answer:?}");
        }
    }

    #[tokio::test]
    async fn without_a_redis_there_is_no_cache() {
        for url in [None, Some("redis://127.0.0.1:1"), Some("elsewhere")] {
            assert_eq!(Cache::at(url).get("thai").await, None);
        }
    }
}
