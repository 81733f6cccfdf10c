//! The least that an external extension can do: register, and ask for events until SHUTDOWN.
//!
//! It is what `throughline-extension` is measured beside, by `cargo xtask budget` and by the
//! benchmarks. Only the standard library, one connection a call.

use std::io::{Error, Read, Result, Write};
use std::net::TcpStream;

#[allow(clippy::disallowed_methods)] // A whole program of its own, edge and all.
fn main() -> Result<()> {
    let platform = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(Error::other)?;
    let path = std::env::args().next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let register = format!("lambda-extension-name: {name}\r\n");
    let events = r#"{"events":["INVOKE","SHUTDOWN"]}"#;
    let answer = call(&platform, "POST", "register", &register, events)?;
    let id = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("lambda-extension-identifier")
            .then_some(value.trim())
    });
    let id = id.ok_or_else(|| Error::other("the platform gave no identifier"))?;
    let next = format!("lambda-extension-identifier: {id}\r\n");
    while !call(&platform, "GET", "event/next", &next, "")?.contains("SHUTDOWN") {}
    Ok(())
}

fn call(platform: &str, method: &str, path: &str, header: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect(platform)?;
    let length = body.len();
    let request = format!(
        "{method} /2020-01-01/extension/{path} HTTP/1.1\r\nhost: {platform}\r\nconnection: close\r\n{header}content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
