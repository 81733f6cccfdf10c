//! What was read or decoded and may be wanted again, within a budget of bytes.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps the values used last.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    bytes_max: usize,
    inner: Mutex<Inner<K, V>>,
}

#[derive(Debug)]
struct Inner<K, V> {
    entries: HashMap<K, Entry<V>>,
    bytes: usize,
    tick: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: Arc<V>,
    bytes: usize,
    used: u64,
}

impl<K: Copy + Eq + Hash, V> Cache<K, V> {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Cache {
            bytes_max,
            inner: Mutex::new(Inner {
                entries: HashMap::new(),
                bytes: 0,
                tick: 0,
            }),
        }
    }

    /// The value of `key`, or what `load` makes of it and how many bytes that takes. Two readers
    /// may load the same at once; that costs time and nothing else.
    pub(crate) fn get_or_load<E>(
        &self,
        key: K,
        load: impl FnOnce() -> Result<(V, usize), E>,
    ) -> Result<Arc<V>, E> {
        if let Some(value) = self.get(key) {
            return Ok(value);
        }
        let (value, bytes) = load()?;
        Ok(self.put(key, value, bytes))
    }

    /// The value of `key`, if it is there.
    pub(crate) fn get(&self, key: K) -> Option<Arc<V>> {
        self.lock().touch(key)
    }

    /// Keeps a value that takes so many bytes.
    pub(crate) fn put(&self, key: K, value: V, bytes: usize) -> Arc<V> {
        let value = Arc::new(value);
        let mut inner = self.lock();
        inner.insert(key, Arc::clone(&value), bytes);
        inner.evict(self.bytes_max);
        value
    }

    /// Forgets what nobody will want again.
    pub(crate) fn forget(&self, is_gone: impl Fn(&K) -> bool) {
        let mut inner = self.lock();
        let Inner { entries, bytes, .. } = &mut *inner;
        let gone = entries.extract_if(|key, _| is_gone(key));
        *bytes -= gone.map(|(_, entry)| entry.bytes).sum::<usize>();
    }

    fn lock(&self) -> MutexGuard<'_, Inner<K, V>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash, V> Inner<K, V> {
    fn touch(&mut self, key: K) -> Option<Arc<V>> {
        self.tick += 1;
        let entry = self.entries.get_mut(&key)?;
        entry.used = self.tick;
        Some(Arc::clone(&entry.value))
    }

    fn insert(&mut self, key: K, value: Arc<V>, bytes: usize) {
        let used = self.tick;
        let entry = Entry { value, bytes, used };
        self.bytes += bytes;
        if let Some(old) = self.entries.insert(key, entry) {
            self.bytes -= old.bytes;
        }
    }

    /// Forgets the half used least recently, so that the sort is paid once for many.
    fn evict(&mut self, bytes_max: usize) {
        if self.bytes <= bytes_max {
            return;
        }
        let mut ages: Vec<(u64, K)> = Vec::with_capacity(self.entries.len());
        ages.extend(self.entries.iter().map(|(key, entry)| (entry.used, *key)));
        ages.sort_unstable_by_key(|(used, _)| *used);
        for (_, key) in ages {
            if self.bytes <= bytes_max / 2 {
                break;
            }
            if let Some(entry) = self.entries.remove(&key) {
                self.bytes -= entry.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn load(cache: &Cache<u32, u32>, key: u32) -> bool {
        let mut loaded = false;
        let value = cache.get_or_load(key, || {
            loaded = true;
            Ok::<_, Infallible>((key, 10))
        });
        assert_eq!(*value.unwrap(), key);
        loaded
    }

    #[test]
    fn what_was_used_last_stays() {
        let cache = Cache::new(40);
        for key in 0..4 {
            assert!(load(&cache, key));
        }
        assert!(!load(&cache, 0));
        assert!(load(&cache, 4));
        assert!(!load(&cache, 0));
        assert!(!load(&cache, 4));
        assert!(load(&cache, 1));
        assert!(cache.lock().bytes <= 40);
    }

    #[test]
    fn what_is_gone_gives_its_room_back() {
        let cache = Cache::new(40);
        for key in 0..4 {
            assert!(load(&cache, key));
        }
        cache.forget(|key| key % 2 == 0);
        assert_eq!(cache.lock().bytes, 20);
        assert!(!load(&cache, 1));
        assert!(!load(&cache, 3));
        assert!(load(&cache, 0));
    }
}
