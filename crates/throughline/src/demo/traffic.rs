//! Who uses the application while the demo runs, and how it goes for them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;

use super::clicks::{self, Counts};
use super::outside::{Addresses, Player};
use crate::cli::Users;

/// Users, not yet at work.
pub(super) enum Traffic {
    /// Steady orders at a function's URL.
    Clicks { checkout: SocketAddr, rate: u32 },
    /// The example's own program.
    Users(Box<Player>),
}

impl Traffic {
    /// Works until it is dropped.
    ///
    /// # Errors
    /// The program of the example ended.
    pub(super) async fn run(&mut self, show: bool) -> anyhow::Result<()> {
        match self {
            Self::Clicks { checkout, rate } => {
                let counts = Arc::new(Counts::default());
                tokio::select! {
                    () = click(*checkout, *rate, Arc::clone(&counts)) => Ok(()),
                    () = show_clicks(&counts, show) => Ok(()),
                }
            }
            Self::Users(player) => loop {
                let line = player.line().await?;
                if show {
                    eprint!("{}", shown(&line));
                }
            },
        }
    }

    pub(super) async fn stop(self) {
        if let Self::Users(player) = self {
            player.stop().await;
        }
    }
}

/// What `play traffic` is told.
pub(super) fn arguments(
    users: &Users,
    rate: u32,
    shop: &str,
    outside: &Addresses,
    ground_truth: &Path,
) -> Vec<String> {
    let ground_truth = ground_truth.to_string_lossy().into_owned();
    let settings = [
        ("--shop", shop.to_owned()),
        ("--aws", outside.aws.clone()),
        ("--pay", outside.pay.clone()),
        ("--rate", rate.to_string()),
        ("--day-minutes", users.day_minutes.to_string()),
        ("--seed", users.seed.to_string()),
        ("--misbehave-after", users.misbehave_after.to_string()),
        ("--misbehave-for", users.misbehave_for.to_string()),
        ("--ground-truth", ground_truth),
    ];
    let misbehave = users.misbehave.iter();
    let misbehave = misbehave.map(|name| ("--misbehave", name.clone()));
    let settings = settings.into_iter().chain(misbehave);
    settings
        .flat_map(|(flag, value)| [flag.to_owned(), value])
        .collect()
}

/// One line that counts along, over the one before.
fn shown(line: &Value) -> String {
    let count = |name: &str| line[name].as_u64().unwrap_or_default();
    let skipped = match count("skipped") {
        0 => String::new(),
        skipped => format!(", {skipped} left out"),
    };
    let misbehaving = match line["misbehaving"].as_str() {
        Some(name) => format!(", {name} now"),
        None => String::new(),
    };
    let [visits, orders, failed] = ["visits", "orders", "failed"].map(count);
    format!("\r\x1b[K  {visits} visits, {orders} orders, {failed} failed{skipped}{misbehaving} ")
}

async fn click(checkout: SocketAddr, orders_a_minute: u32, counts: Arc<Counts>) {
    match Duration::from_secs(60).checked_div(orders_a_minute) {
        Some(every) => clicks::run(checkout, every, counts).await,
        None => std::future::pending().await,
    }
}

async fn show_clicks(counts: &Counts, show: bool) {
    if !show {
        return std::future::pending().await;
    }
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        let [sent, failed, skipped] = [&counts.sent, &counts.failed, &counts.skipped]
            .map(|count| count.load(Ordering::Relaxed));
        let skipped = if skipped > 0 {
            format!(", {skipped} left out")
        } else {
            String::new()
        };
        eprint!("\r  {sent} orders, {failed} failed{skipped} ");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_line_says_what_goes_wrong() {
        let counts = |skipped: u32, misbehaving: Value| json!({"visits": 9, "orders": 5, "failed": 1, "skipped": skipped, "misbehaving": misbehaving});
        assert_eq!(
            shown(&counts(0, Value::Null)),
            "\r\x1b[K  9 visits, 5 orders, 1 failed "
        );
        assert_eq!(
            shown(&counts(2, json!("bad-deploy"))),
            "\r\x1b[K  9 visits, 5 orders, 1 failed, 2 left out, bad-deploy now "
        );
    }
}
