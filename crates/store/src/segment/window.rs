//! Which rows go into which file.

use std::ops::Range;

use throughline_telemetry::UnixNanos;

use crate::limits::{WINDOW_NANOS, WINDOWS_MAX};

/// Cuts sorted times into windows. Windows are ten minutes wide, or as much wider as it takes to
/// have few of them: rows with times all over history must not make a file each.
pub(super) fn windows(times: &[UnixNanos]) -> Vec<Range<usize>> {
    let mut width = WINDOW_NANOS;
    loop {
        let cut = cut(times, width);
        if cut.len() <= WINDOWS_MAX {
            return cut;
        }
        width = width.saturating_mul(2);
    }
}

fn cut(times: &[UnixNanos], width: u64) -> Vec<Range<usize>> {
    let mut from = 0;
    let windows = times.chunk_by(|a, b| a.0 / width == b.0 / width);
    windows
        .map(|window| {
            let range = from..from + window.len();
            from = range.end;
            range
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000_000_000;

    fn check(times: impl IntoIterator<Item = u64>, expect: &[Range<usize>]) {
        let times: Vec<UnixNanos> = times.into_iter().map(UnixNanos).collect();
        assert_eq!(windows(&times), expect);
    }

    #[test]
    fn windows_are_ten_minutes() {
        check([], &[]);
        check(
            [0, 9 * MINUTE, 10 * MINUTE, 25 * MINUTE],
            &[0..2, 2..3, 3..4],
        );
    }

    #[test]
    fn scattered_times_make_few_windows() {
        let times: Vec<UnixNanos> = (0..10_000).map(|n| UnixNanos(n * 100 * MINUTE)).collect();
        let windows = windows(&times);
        assert!(windows.len() <= WINDOWS_MAX && windows.len() > WINDOWS_MAX / 4);
        assert_eq!(windows.iter().map(Range::len).sum::<usize>(), times.len());
        check([0, u64::MAX], &[0..1, 1..2]);
    }
}
