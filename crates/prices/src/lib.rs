//! What an invocation costs, estimated from what is billed and a list of prices.
//!
//! [`estimate`] prices one invocation, [`rates`] says what a region asks. Each file in `data` is a list of
//! prices with the day since which they are in force, and its sources. Counted are the request, the billed
//! time (which includes initialisation where the platform bills it) and `/tmp` beyond what is free, at the
//! first tier.
//!
//! ```
//! use throughline_prices::{Architecture, Billed, Day, Terms, estimate};
//!
//! let terms = Terms {
//!     region: "us-east-1",
//!     architecture: Architecture::X86,
//!     initialization: "on-demand",
//!     ephemeral_bytes: 512 << 20,
//!     day: Some(Day::of_unix_seconds(1_795_228_800)),
//! };
//! let billed = Billed { billed_ms: Some(1000), memory_mb: Some(1024) };
//! let cost = estimate(billed, terms).expect("what is billed is known");
//! assert_eq!((cost.usd, cost.region), (0.0000168667, "us-east-1"));
//! ```
//!
//! What it deliberately does not count: free tiers, discounts, provisioned capacity that waits, snapshots,
//! the instances that Lambda Managed Instances run on, and transfer.

mod list;

use list::{LISTS, Prices, in_force};

/// What the price depends on, beside what was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms<'a> {
    /// Where it ran.
    pub region: &'a str,
    /// On what.
    pub architecture: Architecture,
    /// How its environment came to be.
    pub initialization: &'a str,
    /// How large `/tmp` is; 0 if that is not known.
    pub ephemeral_bytes: u64,
    /// When it ran, for the prices of that time; the newest ones are taken for `None`, and the oldest for days
    /// before all that are listed.
    pub day: Option<Day>,
}

/// A day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u32);

impl Day {
    /// The one that so many seconds since 1970 are in; of those that nobody lives to see, the last.
    pub fn of_unix_seconds(seconds: u64) -> Self {
        Day(u32::try_from(seconds / 86_400).unwrap_or(u32::MAX))
    }
}

/// The processors that have prices of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Intel and AMD.
    X86,
    /// Graviton.
    Arm,
}

impl Architecture {
    /// The one that this program was built for: an extension runs on the function's own.
    pub const OURS: Architecture = if cfg!(target_arch = "aarch64") {
        Architecture::Arm
    } else {
        Architecture::X86
    };
}

/// What a report says of an invocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Billed {
    /// Billed milliseconds.
    pub billed_ms: Option<i64>,
    /// The memory that it had.
    pub memory_mb: Option<i64>,
}

/// An estimate.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// In US dollars.
    pub usd: f64,
    /// Whose prices were used: the region's own, or those of us-east-1 where one that is needed is not
    /// listed.
    pub region: &'static str,
}

/// What a region asks on some terms, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Whose prices these are, as in [`Estimate::region`].
    pub region: &'static str,
    /// For a request.
    pub request: f64,
    /// For a second of a gigabyte of memory.
    pub gb_second: f64,
    /// For a second of the `/tmp` of the terms, beyond what is free.
    pub tmp_second: f64,
}

impl Rates {
    /// What an invocation costs.
    pub fn usd(&self, billed_ms: f64, memory_mb: f64) -> f64 {
        self.request + billed_ms / 1e3 * (memory_mb / 1024.0 * self.gb_second + self.tmp_second)
    }
}

/// What is asked on these terms.
pub fn rates(terms: Terms<'_>) -> Rates {
    let list = in_force(LISTS, terms.day);
    let listed = [terms.region, FALLBACK].into_iter().find_map(|region| {
        let prices = list.iter().find(|prices| prices.region == region)?;
        rates_of(prices, terms)
    });
    listed.expect("us-east-1 lists all prices, which a test holds")
}

/// What an invocation costs; `None` if its report does not say what is billed.
pub fn estimate(billed: Billed, terms: Terms<'_>) -> Option<Estimate> {
    let rates = rates(terms);
    let usd = if terms.initialization == MANAGED {
        rates.request
    } else {
        let billed_ms = billed.billed_ms.filter(|billed| *billed >= 0)?;
        let memory_mb = billed.memory_mb.filter(|memory| *memory > 0)?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds and megabytes are small"
        )]
        rates.usd(billed_ms as f64, memory_mb as f64)
    };
    // Nobody prices a trillionth of a cent; this cuts the dust of binary fractions.
    let usd = (usd * 1e13).round() / 1e13;
    let region = rates.region;
    Some(Estimate { usd, region })
}

/// `None` if one of the prices is not listed.
fn rates_of(prices: &Prices, terms: Terms<'_>) -> Option<Rates> {
    let of_time = match terms.architecture {
        Architecture::X86 => &prices.x86,
        Architecture::Arm => &prices.arm,
    };
    let (gb_second, tmp_second) = match terms.initialization {
        MANAGED => (0.0, 0.0),
        "provisioned-concurrency" => (of_time.provisioned_gb_second?, tmp(prices, terms)),
        _ => (of_time.gb_second, tmp(prices, terms)),
    };
    Some(Rates {
        region: prices.region,
        request: prices.request,
        gb_second,
        tmp_second,
    })
}

fn tmp(prices: &Prices, terms: Terms<'_>) -> f64 {
    prices.ephemeral_gb_second * ephemeral_gb(terms.ephemeral_bytes)
}

/// `/tmp` beyond the free half gigabyte. A file system takes a little more than it offers, and one
/// that is larger than any that Lambda makes is not Lambda's.
fn ephemeral_gb(bytes: u64) -> f64 {
    let megabytes = bytes >> 20;
    if !(EPHEMERAL_FREE_MB..=EPHEMERAL_MAX_MB).contains(&megabytes) {
        return 0.0;
    }
    let beyond = u32::try_from(megabytes - 512).unwrap_or(0);
    f64::from(beyond) / 1024.0
}

/// Whose instances somebody else bills.
const MANAGED: &str = "lambda-managed-instances";
/// Two of three regions ask the same for time and requests.
const FALLBACK: &str = "us-east-1";
/// A file system of 512 MB shows up to this size.
const EPHEMERAL_FREE_MB: u64 = 640;
const EPHEMERAL_MAX_MB: u64 = 11 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::List;

    fn cost(billed_ms: i64, memory_mb: i64, terms: Terms<'_>) -> Option<(String, &'static str)> {
        let billed = Billed {
            billed_ms: Some(billed_ms),
            memory_mb: Some(memory_mb),
        };
        let estimate = estimate(billed, terms)?;
        Some((
            format!("{:.4} per million", estimate.usd * 1e6),
            estimate.region,
        ))
    }

    const TERMS: Terms<'static> = Terms {
        region: "us-east-1",
        architecture: Architecture::X86,
        initialization: "on-demand",
        ephemeral_bytes: 525 << 20,
        day: None,
    };

    #[test]
    fn what_invocations_cost() {
        for (name, billed, memory, terms, expected) in [
            ("nothing but the request", 0, 128, TERMS, "0.2000"),
            ("a second of a gigabyte", 1000, 1024, TERMS, "16.8667"),
            ("the example of the price list", 791, 128, TERMS, "1.8479"),
            (
                "arm",
                1000,
                1024,
                Terms {
                    architecture: Architecture::Arm,
                    ..TERMS
                },
                "13.5334",
            ),
            (
                "provisioned",
                1000,
                1024,
                Terms {
                    initialization: "provisioned-concurrency",
                    ..TERMS
                },
                "9.9222",
            ),
            (
                "an instance of one's own",
                1000,
                4096,
                Terms {
                    initialization: "lambda-managed-instances",
                    ..TERMS
                },
                "0.2000",
            ),
            (
                "a large /tmp",
                1000,
                1024,
                Terms {
                    ephemeral_bytes: 10 << 30,
                    ..TERMS
                },
                "17.1602",
            ),
            (
                "the /tmp of a laptop",
                1000,
                1024,
                Terms {
                    ephemeral_bytes: 250 << 30,
                    ..TERMS
                },
                "16.8667",
            ),
        ] {
            let expected = (format!("{expected} per million"), "us-east-1");
            assert_eq!(cost(billed, memory, terms), Some(expected), "{name}");
        }
    }

    #[test]
    fn other_regions_have_prices_of_their_own_or_those_of_a_listed_one() {
        let arm = Terms {
            architecture: Architecture::Arm,
            ..TERMS
        };
        let provisioned = "provisioned-concurrency";
        for (region, terms, expected) in [
            ("eu-west-1", TERMS, ("16.8667", "eu-west-1")),
            ("af-south-1", TERMS, ("22.3700", "af-south-1")),
            ("ap-east-1", arm, ("18.5800", "ap-east-1")),
            ("mars-north-1", arm, ("13.5334", "us-east-1")),
            ("", TERMS, ("16.8667", "us-east-1")),
            (
                "eu-central-1",
                Terms {
                    initialization: provisioned,
                    ..TERMS
                },
                ("11.9011", "eu-central-1"),
            ),
            // This price is listed for one region only.
            (
                "eu-central-1",
                Terms {
                    initialization: provisioned,
                    ..arm
                },
                ("7.9778", "us-east-1"),
            ),
        ] {
            let cost = cost(1000, 1024, Terms { region, ..terms });
            let expected = (format!("{} per million", expected.0), expected.1);
            assert_eq!(cost, Some(expected), "{region} {terms:?}");
        }
    }

    #[test]
    fn a_report_without_numbers_costs_nothing_that_is_known() {
        assert_eq!(estimate(Billed::default(), TERMS), None);
        assert_eq!(cost(-1, 128, TERMS), None);
    }

    #[test]
    fn every_day_has_the_prices_of_the_list_before_it() {
        let list = |since, prices| List {
            since: Day(since),
            prices,
        };
        let (old, new) = (&LISTS[0].prices[..1], &LISTS[0].prices[1..2]);
        let lists = [list(100, old), list(200, new)];
        for (day, expected) in [
            (Some(0), old),
            (Some(100), old),
            (Some(199), old),
            (Some(200), new),
            (Some(u32::MAX), new),
            (None, new),
        ] {
            let found = in_force(&lists, day.map(Day));
            assert_eq!(found[0].region, expected[0].region, "{day:?}");
        }
    }

    #[test]
    fn the_first_list_is_of_the_day_in_its_name() {
        // 2025-08-01T00:00:00Z
        assert_eq!(LISTS[0].since, Day::of_unix_seconds(1_754_006_400));
        assert!(LISTS[0].since > Day::of_unix_seconds(1_754_006_399));
        assert!(LISTS.is_sorted_by(|before, after| before.since < after.since));
    }

    #[test]
    fn every_price_is_one() {
        for list in LISTS {
            check(list.prices);
        }
    }

    fn check(list: &[Prices]) {
        let mut regions: Vec<&str> = list.iter().map(|prices| prices.region).collect();
        regions.sort_unstable();
        regions.dedup();
        assert_eq!(regions.len(), list.len());
        assert!(regions.contains(&FALLBACK));
        for prices in list {
            let region = prices.region;
            // Nobody asks for half as much as another, or for twice.
            let is_near = |price: f64, usual: f64| {
                assert!((usual / 2.0..usual * 2.0).contains(&price), "{region}");
            };
            is_near(prices.request, 2e-7);
            is_near(prices.ephemeral_gb_second, 3.09e-8);
            is_near(prices.x86.gb_second, 1.66667e-5);
            is_near(prices.x86.provisioned_gb_second.unwrap(), 9.7222e-6);
            is_near(prices.arm.gb_second, 1.33334e-5);
            if let Some(price) = prices.arm.provisioned_gb_second {
                is_near(price, 7.7778e-6);
            }
            // Every price that somebody may ask for is listed there.
            assert!(region != FALLBACK || prices.arm.provisioned_gb_second.is_some());
        }
    }
}
