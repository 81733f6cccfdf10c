//! Tables in memory that are asked once a row or more.
//!
//! Their hash is several times cheaper than the standard library's on short texts, and seeded at random
//! in each process, so that nobody can send texts that all fall into one place.

use foldhash::fast::RandomState;

/// A map.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;
/// A set.
pub(crate) type HashSet<K> = std::collections::HashSet<K, RandomState>;
