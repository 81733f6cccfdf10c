//! Tables in memory that are asked once a row or more.
//!
//! Their hash takes fewer steps on short texts than the standard library's, which is made to withstand
//! more, and is seeded at random, so that texts that all fall into one place cannot be prepared.

use foldhash::fast::RandomState;

/// A map.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;
/// A set.
pub(crate) type HashSet<K> = std::collections::HashSet<K, RandomState>;
