//! What an invocation costs, estimated from its report and a list of prices.
//!
//! The list is a file with a date and a source: `cost/prices.json`. Counted are the request, the
//! billed time (which includes initialisation where the platform bills it) and `/tmp` beyond what is
//! free, at the first tier. Not counted: free tiers, discounts, provisioned capacity that waits,
//! snapshots, the instances that Lambda Managed Instances run on, and transfer.

use std::sync::OnceLock;

use serde_json::Value as Json;

use crate::platform::Used;

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

    fn name(self) -> &'static str {
        match self {
            Architecture::X86 => "x86_64",
            Architecture::Arm => "arm64",
        }
    }
}

/// An estimate.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// In US dollars.
    pub usd: f64,
    /// Whose prices were used: those of the region, or of the nearest thing to it that is listed.
    pub region: &'static str,
}

/// What an invocation costs; `None` if its report does not say what is billed.
pub fn estimate(used: &Used, terms: Terms<'_>) -> Option<Estimate> {
    let (region, prices) = prices_of(terms.region)?;
    let price = |json: &Json| json.as_f64();
    let request = price(&prices["request"])?;
    if terms.initialization == "lambda-managed-instances" {
        return Some(Estimate {
            usd: request,
            region,
        });
    }
    let billed = used.billed_ms.filter(|billed| *billed >= 0)?;
    let memory_mb = used.memory_size_mb.filter(|memory| *memory > 0)?;
    let of_time = match terms.initialization {
        "provisioned-concurrency" => "provisioned_gb_second",
        _ => "gb_second",
    };
    let gb_second = price(&prices[terms.architecture.name()][of_time])?;
    let ephemeral_second =
        price(&prices["ephemeral_gb_second"])? * ephemeral_gb(terms.ephemeral_bytes);
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds and megabytes are small"
    )]
    let (seconds, memory_gb) = (billed as f64 / 1e3, memory_mb as f64 / 1024.0);
    let usd = request + seconds * (memory_gb * gb_second + ephemeral_second);
    // Nobody prices a trillionth of a cent; this cuts the dust of binary fractions.
    let usd = (usd * 1e13).round() / 1e13;
    Some(Estimate { usd, region })
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

fn prices_of(region: &str) -> Option<(&'static str, &'static Json)> {
    static PRICES: OnceLock<Json> = OnceLock::new();
    // A test reads the file; a broken one would mean no estimate.
    let prices = PRICES.get_or_init(|| serde_json::from_str(PRICES_JSON).unwrap_or_default());
    let regions = prices["regions"].as_object()?;
    let found = regions
        .get_key_value(region)
        .or_else(|| regions.get_key_value(FALLBACK));
    found.map(|(name, prices)| (name.as_str(), prices))
}

const PRICES_JSON: &str = include_str!("cost/prices.json");
/// Most regions ask the same as this one.
const FALLBACK: &str = "us-east-1";
/// A file system of 512 MB shows up to this size.
const EPHEMERAL_FREE_MB: u64 = 640;
const EPHEMERAL_MAX_MB: u64 = 11 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(billed_ms: i64, memory_mb: i64, terms: Terms<'_>) -> Option<(String, &'static str)> {
        let used = Used {
            billed_ms: Some(billed_ms),
            memory_size_mb: Some(memory_mb),
            ..Used::default()
        };
        let estimate = estimate(&used, terms)?;
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
    fn other_regions_are_estimated_with_a_listed_one() {
        let terms = Terms {
            region: "eu-west-1",
            ..TERMS
        };
        assert_eq!(
            cost(0, 128, terms).map(|(_, region)| region),
            Some("us-east-1")
        );
    }

    #[test]
    fn a_report_without_numbers_costs_nothing_that_is_known() {
        assert_eq!(estimate(&Used::default(), TERMS), None);
        assert_eq!(cost(-1, 128, TERMS), None);
    }

    #[test]
    fn every_price_is_one() {
        let prices: Json = serde_json::from_str(PRICES_JSON).unwrap();
        for (region, of) in prices["regions"].as_object().unwrap() {
            for name in ["x86_64", "arm64"] {
                for price in ["gb_second", "provisioned_gb_second"] {
                    assert!(
                        of[name][price].as_f64().unwrap() > 0.0,
                        "{region} {name} {price}"
                    );
                }
            }
        }
    }
}
