//! A batch as one line of text, for when only the log is left: other tools write and read the same.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Batch;

/// A line of stdout without its end, as `throughline replay` and others read it.
///
/// `endpoint` is the address that the batch should have gone to.
pub fn envelope(batch: &Batch, ledger: &str, endpoint: &str) -> String {
    let mut headers = serde_json::Map::new();
    let mut header = |name: &str, value: String| headers.insert(name.to_owned(), value.into());
    header("x-throughline-environment", batch.environment.to_string());
    if batch.sequence > 0 {
        header("x-throughline-sequence", batch.sequence.to_string());
    }
    header("x-throughline-function", batch.function.to_string());
    header("x-throughline-ledger", ledger.to_owned());
    let headers = serde_json::Value::Object(headers);
    let source = serde_json::Value::from(&*batch.function);
    let endpoint = serde_json::Value::from(endpoint);
    let mut line = format!(
        concat!(
            r#"{{"__otel_otlp_stdout":"throughline-extension@{version}","source":{source},"#,
            r#""endpoint":{endpoint},"method":"POST","content-type":"application/x-protobuf","#
        ),
        version = env!("CARGO_PKG_VERSION"),
        source = source,
        endpoint = endpoint,
    );
    if batch.packed {
        line.push_str(r#""content-encoding":"gzip","#);
    }
    // Writing to a String cannot fail.
    let _ = write!(line, r#""headers":{headers},"payload":""#);
    STANDARD.encode_string(&batch.body, &mut line);
    line.push_str(r#"","base64":true,"level":"INFO"}"#);
    line
}

/// The largest body whose envelope is a line of at most 256 KiB, which is what a log event may have:
/// base64 makes four bytes of three, and the ledger and the rest take 8 KiB at most.
pub const BODY_BYTES_MAX: usize = ((256 << 10) - (8 << 10)) / 4 * 3;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use throughline_telemetry::Signal;

    use super::super::Worth;
    use super::*;

    fn batch(body: Vec<u8>) -> Batch {
        Batch {
            environment: "e-1".into(),
            function: "check\"out".into(),
            sequence: 17,
            signal: Signal::Traces,
            worth: Worth::Traces,
            items: 1,
            body: Bytes::from(body),
            packed: true,
        }
    }

    #[test]
    fn a_line_that_others_can_read() {
        let line = envelope(
            &batch(b"any carnal pleas".to_vec()),
            "{\"v\":1}",
            "http://localhost:4318/v1/traces",
        );
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            read["__otel_otlp_stdout"],
            concat!("throughline-extension@", env!("CARGO_PKG_VERSION"))
        );
        assert_eq!(read["source"], "check\"out");
        assert_eq!(read["payload"], "YW55IGNhcm5hbCBwbGVhcw==");
        assert_eq!(read["content-encoding"], "gzip");
        assert_eq!(read["headers"]["x-throughline-sequence"], "17");
        assert_eq!(read["headers"]["x-throughline-ledger"], "{\"v\":1}");
        assert_eq!(read["base64"], true);
    }

    #[test]
    fn the_largest_body_fits_a_log_event() {
        // The longest ledger, every letter of it escaped.
        let ledger = "\"".repeat(crate::outbox::ledger::LEDGER_BYTES_MAX / 2);
        let line = envelope(&batch(vec![0; BODY_BYTES_MAX]), &ledger, &"x".repeat(2000));
        assert!(line.len() <= 256 << 10, "{}", line.len());
    }
}
