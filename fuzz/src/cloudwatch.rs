//! What comes to the server from CloudWatch: compiled from the server's own files, because
//! the server itself would bring its store along.

#[path = "../../crates/server/src/cloudwatch/delivery.rs"]
mod delivery;
#[path = "../../crates/server/src/cloudwatch/envelope.rs"]
mod envelope;

use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request;

use crate::ingest::{Format, Inflater};
use delivery::Delivery;

/// Deliveries down to lines and requests with metrics, and envelopes in lines down to requests.
pub fn cloudwatch(data: &[u8]) {
    if let Ok(delivery) = Delivery::read(data, BYTES_MAX) {
        assert!(delivery.bytes() <= BYTES_MAX);
        for (_, line) in delivery.lines() {
            read(line);
        }
        let metrics = delivery.metrics;
        assert!(metrics.problems_total >= metrics.problems.len() as u64);
        for (_, body) in metrics.requests {
            let request = Request::from_protobuf(Signal::Metrics, &body);
            assert!(request.is_ok(), "what was made of a metric stream is OTLP");
        }
    }
    read(&String::from_utf8_lossy(data));
}

fn read(line: &str) {
    for envelope in envelope::find(line).into_iter().flatten() {
        assert!(envelope.headers.len() <= line.len());
        let inflated = || {
            let mut inflater = Inflater::new(envelope.encoding, BYTES_MAX)?;
            inflater.push(&envelope.payload)?;
            inflater.finish()
        };
        let Ok(plain) = inflated() else { continue };
        assert!(plain.len() <= BYTES_MAX);
        let _ = match envelope.format {
            Format::Protobuf => Request::from_protobuf(envelope.signal, &plain),
            Format::Json => Request::from_json(envelope.signal, &plain),
        };
    }
}

const BYTES_MAX: usize = 1 << 20;
