//! The list of prices, in US dollars, of tier 1; the free tier is not taken off.
//!
//! In force since 2025-08-01, looked up on 2026-11-21 in:
//!
//! - <https://aws.amazon.com/lambda/pricing/>, us-east-1, as of 2026-08-21;
//! - <https://calculator.aws/pricing/2.0/meteredUnitMaps/lambda/USD/current/lambda.json>, the data of
//!   AWS's price calculator, as a public copy has it that was made after ap-southeast-5 had opened
//!   (2024-08).
//!
//! For us-east-1 both agree. So do two other public copies with the others' prices of time, of requests
//! and of `/tmp` as far as they list them, and an extract of AWS's Price List of 2026-09-19 for
//! af-south-1, ap-east-1, eu-south-1, me-south-1 and seven regions that ask the same as us-east-1. What
//! provisioned time costs on arm64 is in no source but that extract, and there for us-east-1 only.

/// What a region asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prices {
    /// `eu-west-1`
    pub(super) region: &'static str,
    /// For a request.
    pub(super) request: f64,
    /// For a second of a gigabyte of `/tmp` beyond what is free.
    pub(super) ephemeral_gb_second: f64,
    pub(super) x86: OfTime,
    pub(super) arm: OfTime,
}

/// For a second of a gigabyte of memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfTime {
    pub(super) gb_second: f64,
    /// Where capacity is provisioned, if it is listed.
    pub(super) provisioned_gb_second: Option<f64>,
}

/// One row for each region that is listed.
pub(super) static PRICES: &[Prices] = &[
    row("af-south-1", [2.7e-7, 4.04e-8, 2.21e-5, 1.29e-5, 1.768e-5]),
    row(
        "ap-east-1",
        [2.8e-7, 4.07e-8, 2.292e-5, 1.33358e-5, 1.83e-5],
    ),
    row(
        "ap-northeast-1",
        [2e-7, 3.7e-8, 1.66667e-5, 1.25615e-5, 1.33334e-5],
    ),
    row(
        "ap-northeast-2",
        [2e-7, 3.52e-8, 1.66667e-5, 1.19592e-5, 1.33334e-5],
    ),
    row(
        "ap-northeast-3",
        [2e-7, 3.7e-8, 1.66667e-5, 1.25615e-5, 1.33334e-5],
    ),
    row(
        "ap-south-1",
        [2e-7, 3.52e-8, 1.66667e-5, 1.04966e-5, 1.33334e-5],
    ),
    row(
        "ap-southeast-1",
        [2e-7, 3.7e-8, 1.66667e-5, 1.21313e-5, 1.33334e-5],
    ),
    row(
        "ap-southeast-2",
        [2e-7, 3.7e-8, 1.66667e-5, 1.22173e-5, 1.33334e-5],
    ),
    row(
        "ap-southeast-4",
        [2e-7, 3.7e-8, 1.66667e-5, 1.22173e-5, 1.33334e-5],
    ),
    row(
        "ap-southeast-5",
        [1.8e-7, 3.33e-8, 1.5e-5, 1.09181e-5, 1.2e-5],
    ),
    row(
        "ca-central-1",
        [2e-7, 3.4e-8, 1.66667e-5, 1.08407e-5, 1.33334e-5],
    ),
    row(
        "eu-central-1",
        [2e-7, 3.67e-8, 1.66667e-5, 1.17011e-5, 1.33334e-5],
    ),
    row(
        "eu-central-2",
        [2.2e-7, 4.41e-8, 1.83334e-5, 1.28712e-5, 1.46667e-5],
    ),
    row(
        "eu-north-1",
        [2e-7, 3.23e-8, 1.66667e-5, 1.03245e-5, 1.33334e-5],
    ),
    row(
        "eu-south-1",
        [2.3e-7, 3.57e-8, 1.95172e-5, 1.13827e-5, 1.56138e-5],
    ),
    row(
        "eu-west-1",
        [2e-7, 3.4e-8, 1.66667e-5, 1.08407e-5, 1.33334e-5],
    ),
    row(
        "eu-west-2",
        [2e-7, 3.58e-8, 1.66667e-5, 1.12709e-5, 1.33334e-5],
    ),
    row(
        "eu-west-3",
        [2e-7, 3.58e-8, 1.66667e-5, 1.13569e-5, 1.33334e-5],
    ),
    row(
        "me-south-1",
        [2.5e-7, 3.74e-8, 2.06667e-5, 1.19251e-5, 1.65334e-5],
    ),
    row(
        "sa-east-1",
        [2e-7, 5.86e-8, 1.66667e-5, 1.54867e-5, 1.33334e-5],
    ),
    row(
        "us-east-1",
        [2e-7, 3.09e-8, 1.66667e-5, 9.7222e-6, 1.33334e-5],
    )
    .with_arm_provisioned(7.7778e-6),
    row(
        "us-east-2",
        [2e-7, 3.09e-8, 1.66667e-5, 9.7222e-6, 1.33334e-5],
    ),
    row(
        "us-west-1",
        [2e-7, 3.7e-8, 1.66667e-5, 1.1443e-5, 1.33334e-5],
    ),
    row(
        "us-west-2",
        [2e-7, 3.09e-8, 1.66667e-5, 9.7222e-6, 1.33334e-5],
    ),
];

/// A request, a second of a gigabyte of `/tmp`, then seconds of a gigabyte of memory: x86, x86
/// provisioned, arm.
const fn row(region: &'static str, prices: [f64; 5]) -> Prices {
    let [request, ephemeral_gb_second, x86, x86_provisioned, arm] = prices;
    Prices {
        region,
        request,
        ephemeral_gb_second,
        x86: OfTime {
            gb_second: x86,
            provisioned_gb_second: Some(x86_provisioned),
        },
        arm: OfTime {
            gb_second: arm,
            provisioned_gb_second: None,
        },
    }
}

impl Prices {
    const fn with_arm_provisioned(mut self, price: f64) -> Self {
        self.arm.provisioned_gb_second = Some(price);
        self
    }
}
