//! The functions that are measured, and a listener that is nothing but one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

use crate::rounds::millis;

/// Handles events until the sandbox ends.
pub(crate) fn run() {
    if std::env::var("BENCH_CLIENT").is_ok_and(|client| client == "bare") {
        drop(bare());
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let noop = service_fn(async |_: LambdaEvent<Value>| Ok::<_, std::convert::Infallible>(()));
    runtime.block_on(lambda_runtime::run(noop)).unwrap();
}

/// Answers with the nanoseconds between having read an event and beginning to answer it.
fn bare() -> std::io::Result<()> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let mut stream = TcpStream::connect(&api)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        write!(
            stream,
            "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: {api}\r\n\r\n"
        )?;
        let id = read(&mut reader)?;
        let got = Instant::now();
        let path = format!("/2018-06-01/runtime/invocation/{id}/response");
        let held = got.elapsed().as_nanos().to_string();
        let length = held.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {api}\r\ncontent-length: {length}\r\n\r\n{held}"
        );
        stream.write_all(request.as_bytes())?;
        read(&mut reader)?;
    }
}

/// Reads an answer to its end, and returns the id of the request in it, if there is one.
fn read(reader: &mut impl BufRead) -> std::io::Result<String> {
    let (mut length, mut id) = (0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line == "\r\n" {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "lambda-runtime-aws-request-id" => value.clone_into(&mut id),
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    Ok(id)
}

/// Milliseconds from starting the no-op function to its first request.
pub(crate) fn bare_start(program: &Path) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let began = Instant::now();
    let mut child = Command::new(program)
        .env(
            "AWS_LAMBDA_RUNTIME_API",
            listener.local_addr().unwrap().to_string(),
        )
        .env("AWS_LAMBDA_FUNCTION_NAME", "noop")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    assert!(stream.read(&mut [0; 256]).unwrap() > 0);
    let took = began.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    millis(took)
}
