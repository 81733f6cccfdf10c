//! One key, kept, and when it may be asked for again.

use std::time::Duration;

use throughline_telemetry::UnixNanos;

/// What is known of a key that lies elsewhere.
#[derive(Default)]
pub struct Cache {
    key: Option<String>,
    /// Nobody asks before.
    next_try: UnixNanos,
    /// Since a key was last of use.
    tries: u32,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache")
            .field("known", &self.key.is_some())
            .finish_non_exhaustive()
    }
}

impl Cache {
    /// The key, if it is known.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// How long nobody may ask; zero if somebody may now.
    pub fn pause(&self, now: UnixNanos) -> Duration {
        self.next_try.since(now)
    }

    /// Somebody asks now. The next one waits longer each time, unless a key was of use meanwhile: a
    /// wrong key and a wrong permission stay wrong, and each question costs money.
    pub fn asks(&mut self, now: UnixNanos) {
        let pause = PAUSE_MIN * 2_u32.pow(self.tries.min(DOUBLINGS_MAX));
        self.next_try = now.plus(pause);
        self.tries += 1;
    }

    /// The answer.
    pub fn found(&mut self, key: String) {
        self.key = Some(key);
    }

    /// A server took `key`.
    pub fn was_of_use(&mut self) {
        self.tries = 0;
    }

    /// A server refused `key`: it is of no use any more. An older one was forgotten already.
    pub fn refused(&mut self, key: &str) {
        if self.key() == Some(key) {
            self.key = None;
        }
    }

    /// After a restore all is new, the right to ask too.
    pub fn renew(&mut self) {
        *self = Cache::default();
    }
}

const PAUSE_MIN: Duration = Duration::from_secs(15);
/// Up to eight minutes.
const DOUBLINGS_MAX: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixNanos {
        UnixNanos::from_millis(1_700_000_000_000 + seconds * 1000)
    }

    #[test]
    fn a_key_is_asked_for_once() {
        let mut cache = Cache::default();
        assert_eq!((cache.key(), cache.pause(at(0))), (None, Duration::ZERO));
        cache.asks(at(0));
        cache.found("k-1".to_owned());
        assert_eq!(cache.key(), Some("k-1"));
        assert!(!format!("{cache:?}").contains("k-1"));
    }

    #[test]
    fn what_fails_is_tried_again_later_and_later() {
        let mut cache = Cache::default();
        let mut now = 0;
        let mut pauses = Vec::new();
        for _ in 0..8 {
            cache.asks(at(now));
            let pause = cache.pause(at(now)).as_secs();
            pauses.push(pause);
            now += pause;
            assert_eq!(cache.pause(at(now)), Duration::ZERO);
        }
        assert_eq!(pauses, [15, 30, 60, 120, 240, 480, 480, 480]);
    }

    #[test]
    fn a_key_that_is_refused_is_looked_up_again_but_not_at_once() {
        let mut cache = Cache::default();
        cache.asks(at(0));
        cache.found("old".to_owned());
        cache.was_of_use();
        cache.refused("old");
        assert_eq!(cache.key(), None);
        assert_eq!(cache.pause(at(1)), Duration::from_secs(14));
        assert_eq!(
            cache.pause(at(3600)),
            Duration::ZERO,
            "it was rotated after an hour"
        );
        cache.asks(at(3600));
        cache.found("new".to_owned());
        cache.refused("old");
        assert_eq!(cache.key(), Some("new"), "a late answer to the old one");
    }

    #[test]
    fn after_a_restore_all_is_new() {
        let mut cache = Cache::default();
        cache.asks(at(0));
        cache.found("k-1".to_owned());
        cache.renew();
        assert_eq!((cache.key(), cache.pause(at(0))), (None, Duration::ZERO));
    }
}
