//! Answers and files of the page, compressed for clients that ask for it.

use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// Compresses what is long enough to be worth it, by zstd or gzip, whichever `Accept-Encoding` names
/// (zstd where it names both). Events that the server sends are not held back for it.
pub(super) fn layer() -> CompressionLayer<impl Predicate> {
    let is_worth_it = SizeAbove::new(BYTES_MIN)
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES);
    // An answer may have fifty megabytes, and is asked for once.
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(is_worth_it)
}

/// Shorter answers go in few packets anyway.
const BYTES_MIN: u16 = 4096;
