//! How long and how much to keep, as people write it: `30d`, `50GB`, `7d,50GB`, `forever`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How long the rows of a signal are kept, and how many bytes of segments there may be of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Rows that are older may be dropped. For good, if not set.
    pub age: Option<Duration>,
    /// Bytes on disk, indexes included. Any number, if not set.
    pub bytes: Option<u64>,
}

/// A text that does not say how long or how much to keep.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} says neither how long to keep nor how much: write it as 30d, 50GB, 7d,50GB or forever"
)]
pub struct BadKeep(String);

impl FromStr for Keep {
    type Err = BadKeep;

    fn from_str(text: &str) -> Result<Self, BadKeep> {
        let bad = || BadKeep(text.to_owned());
        if text.trim() == FOREVER {
            return Ok(Keep::default());
        }
        let mut keep = Keep::default();
        for part in text.split(',').map(str::trim) {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let (number, unit) = part.split_at(digits);
            let number: u64 = number.parse().map_err(|_| bad())?;
            let times = |units: &[(&str, u64)]| {
                let of_unit = units.iter().find(|(name, _)| *name == unit.trim())?;
                number.checked_mul(of_unit.1).filter(|product| *product > 0)
            };
            match (times(&AGES), times(&SIZES)) {
                (Some(seconds), _) if keep.age.is_none() => {
                    keep.age = Some(Duration::from_secs(seconds));
                }
                (_, Some(bytes)) if keep.bytes.is_none() => keep.bytes = Some(bytes),
                _ => return Err(bad()),
            }
        }
        Ok(keep)
    }
}

impl fmt::Display for Keep {
    /// In the largest units that say it exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |number: u64, units: &[(&str, u64)]| {
            let fits = units
                .iter()
                .rev()
                .find(|(_, of)| number.is_multiple_of(*of));
            fits.map_or(number.to_string(), |(name, of)| {
                format!("{}{name}", number / of)
            })
        };
        let age = self.age.map(|age| shown(age.as_secs(), &AGES));
        let bytes = self.bytes.map(|bytes| shown(bytes, &SIZES));
        match (age, bytes) {
            (None, None) => f.write_str(FOREVER),
            (Some(age), Some(bytes)) => write!(f, "{age},{bytes}"),
            (one, other) => f.write_str(&one.or(other).unwrap_or_default()),
        }
    }
}

const FOREVER: &str = "forever";

/// Units of time with their seconds.
const AGES: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];

/// Units of size with their bytes.
const SIZES: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_and_how_it_is_shown() {
        for (written, shown) in [
            ("30d", "30d"),
            ("48h", "2d"),
            ("90m", "90m"),
            ("50GB", "50GB"),
            ("7d, 1024MiB", "7d,1GiB"),
            ("20 GB,36h", "36h,20GB"),
            ("1500MB", "1500MB"),
            ("forever", "forever"),
        ] {
            let keep: Keep = written.parse().unwrap();
            assert_eq!(keep.to_string(), shown);
            assert_eq!(shown.parse(), Ok(keep));
        }
        for wrong in [
            "",
            "30",
            "d",
            "0d",
            "0GB",
            "-1d",
            "1.5d",
            "30d,7d",
            "1GB,2GB",
            "30d,",
            "30 days",
            "gb",
            "30d,forever",
            "99999999999999999999d",
            "99999999999999d,1GB,",
        ] {
            assert_eq!(wrong.parse::<Keep>(), Err(BadKeep(wrong.to_owned())));
        }
    }
}
