//! Reading request bodies without ever holding more than is allowed.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use crate::lifecycle::Body;

/// Reads a body to its end, keeping at most `limit` bytes.
///
/// What is too much is still read, up to a bound, and thrown away: many clients look at the answer only after they
/// have written all of their request.
pub(crate) async fn read_body(request: axum::extract::Request, limit: u64) -> Body {
    let mut body = request.into_body();
    let mut kept = BytesMut::new();
    let mut seen: u64 = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Body::Truncated;
        };
        let data = frame.into_data().unwrap_or_else(|_trailers| Bytes::new());
        seen += data.len() as u64;
        if seen <= limit {
            kept.extend_from_slice(&data);
        } else {
            kept = BytesMut::new();
        }
        if seen > DRAIN_BYTES_MAX {
            break;
        }
    }
    if seen > limit {
        Body::TooLarge { bytes: seen }
    } else {
        Body::Whole(kept.freeze())
    }
}

/// Whoever sends more is cut off.
pub(crate) const DRAIN_BYTES_MAX: u64 = 64 * 1024 * 1024;
