//! The function of the benchmark: it answers at once, and may send spans before.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use crate::spans;

/// Handles events until the sandbox ends. An event that is a number wants so many spans sent.
pub(crate) fn run() -> std::io::Result<()> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let api = variable("AWS_LAMBDA_RUNTIME_API");
    let extension = match variable("THROUGHLINE_OTLP_LISTEN") {
        told if told.is_empty() => "127.0.0.1:4318".to_owned(),
        told => told,
    };
    let stream = TcpStream::connect(&api)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut sdk: Option<BufReader<TcpStream>> = None;
    let mut number = 0;
    loop {
        write!(
            &stream,
            "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: {api}\r\n\r\n"
        )?;
        let (id, event) = read(&mut reader)?;
        let wanted: u64 = event.trim().parse().unwrap_or(0);
        if wanted > 0 {
            number += 1;
            // As an SDK does, over a connection that is kept, and that may be gone.
            let body = spans::request(number, wanted);
            if export(&mut sdk, &extension, &body).is_err() {
                sdk = None;
                let _ = export(&mut sdk, &extension, &body);
            }
        }
        let request = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nhost: {api}\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        (&stream).write_all(request.as_bytes())?;
        read(&mut reader)?;
    }
}

fn export(
    sdk: &mut Option<BufReader<TcpStream>>,
    extension: &str,
    body: &[u8],
) -> std::io::Result<()> {
    if sdk.is_none() {
        let stream = TcpStream::connect(extension)?;
        stream.set_nodelay(true)?;
        *sdk = Some(BufReader::new(stream));
    }
    let Some(reader) = sdk else { return Ok(()) };
    let length = body.len();
    let mut request = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: {extension}\r\ncontent-type: application/x-protobuf\r\ncontent-length: {length}\r\n\r\n"
    )
    .into_bytes();
    request.extend_from_slice(body);
    reader.get_mut().write_all(&request)?;
    read(reader).map(drop)
}

/// The id of the request in an answer, if there is one, and the body.
fn read(reader: &mut impl BufRead) -> std::io::Result<(String, String)> {
    let (mut length, mut chunked, mut id) = (0, false, String::new());
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
            "content-length" => length = value.parse().unwrap_or(0),
            "transfer-encoding" => chunked = value == "chunked",
            "lambda-runtime-aws-request-id" => value.clone_into(&mut id),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let length = usize::from_str_radix(line.trim(), 16).unwrap_or(0);
            let mut chunk = vec![0; length + 2];
            reader.read_exact(&mut chunk)?;
            if length == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..length]);
        }
    } else {
        body = vec![0; length];
        reader.read_exact(&mut body)?;
    }
    Ok((id, String::from_utf8_lossy(&body).into_owned()))
}
