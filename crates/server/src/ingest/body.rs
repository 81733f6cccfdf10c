//! Reading the body of an OTLP/HTTP request within its limits.

use axum::body::Body;
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt;

use super::budget::{Charge, OverBudget};
use super::encoding::{Encoding, InflateError, Inflater};
use super::refusal::Refusal;
use crate::config::Limits;

/// Reads a body whole and plain. What it takes in memory goes on `charge`.
pub(crate) async fn read(
    body: Body,
    encoding: Encoding,
    limits: &Limits,
    charge: &mut Charge,
) -> Result<Bytes, Refusal> {
    let reading = read_pieces(body, encoding, limits.body_bytes_max, charge);
    let in_time = tokio::time::timeout(limits.body_timeout, reading).await;
    in_time.unwrap_or_else(|_| {
        let waited = limits.body_timeout;
        Err(Refusal::NotRead(format!(
            "the body did not arrive within {waited:?}"
        )))
    })
}

async fn read_pieces(
    mut body: Body,
    encoding: Encoding,
    bytes_max: usize,
    charge: &mut Charge,
) -> Result<Bytes, Refusal> {
    // A body that says it is too large is not read at all. No compression makes a body larger by much.
    if encoding == Encoding::Identity && body.size_hint().lower() > bytes_max as u64 {
        return Err(Refusal::TooLarge { bytes_max });
    }
    let mut inflater = Inflater::new(encoding, bytes_max)?;
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|error| Refusal::NotRead(format!("the body broke off: {error}")))?;
        let Some(piece) = frame.data_ref() else {
            continue; // trailers
        };
        let before = inflater.len();
        let pushed = inflater.push(piece);
        charge.grow(inflater.len() - before)?;
        pushed?;
    }
    Ok(inflater.finish()?.into())
}

impl From<InflateError> for Refusal {
    fn from(error: InflateError) -> Self {
        match error {
            InflateError::TooLarge { bytes_max } => Refusal::TooLarge { bytes_max },
            InflateError::Corrupt(_) => Refusal::Malformed(error.to_string()),
        }
    }
}

impl From<OverBudget> for Refusal {
    fn from(_: OverBudget) -> Self {
        Refusal::Overloaded {
            retry_after: RETRY_AFTER,
        }
    }
}

/// By then the bodies that fill the budget are on disk.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(1);
