//! Where everything listens, and what to try.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};
use throughline_server::Addresses;

use super::outside;

/// What runs beside the server.
pub(super) enum Shown<'a> {
    Checkout(SocketAddr),
    BigMouth {
        shop: &'a str,
        outside: &'a outside::Addresses,
        ground_truth: &'a Path,
    },
}

pub(super) fn announce(server: &Addresses, shown: &Shown<'_>, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", as_json(server, shown))?;
    } else {
        writeln!(out, "\n{}", as_text(server, shown))?;
    }
    out.flush()?;
    Ok(())
}

fn as_json(server: &Addresses, shown: &Shown<'_>) -> Value {
    let mut addresses = json!({
        "http": server.http.to_string(),
        "otlp_http": server.otlp_http.to_string(),
        "otlp_grpc": server.otlp_grpc.to_string(),
    });
    match shown {
        Shown::Checkout(checkout) => {
            addresses["functions"] = json!({ "checkout": checkout.to_string() });
        }
        Shown::BigMouth {
            shop,
            outside,
            ground_truth,
        } => {
            addresses["shop"] = json!(shop);
            addresses["mail"] = json!(outside.mail);
            addresses["aws"] = json!(outside.aws);
            addresses["ground_truth"] = json!(ground_truth);
        }
    }
    addresses
}

fn as_text(server: &Addresses, shown: &Shown<'_>) -> String {
    let mut lines = vec![
        ("Throughline", format!("http://{}/", server.http)),
        (
            "OTLP",
            format!("http://{}  (gRPC {})", server.otlp_http, server.otlp_grpc),
        ),
    ];
    match shown {
        Shown::Checkout(checkout) => lines.extend([
            ("The shop", format!("http://{checkout}/?order=7")),
            ("", format!("http://{checkout}/?order=7&fail=inventory")),
        ]),
        Shown::BigMouth {
            shop,
            outside,
            ground_truth,
        } => lines.extend([
            ("Big Mouth", format!("{shop}restaurants")),
            ("", format!("{shop}search?cuisine=ramen")),
            ("Its e-mails", format!("{}/mails", outside.mail)),
            ("What went wrong", ground_truth.display().to_string()),
            ("Order", format!("curl {shop}orders --json '{ORDER}'")),
        ]),
    }
    let lines = lines.into_iter();
    let lines: String = lines
        .map(|(name, text)| format!("  {name:<16}{text}\n"))
        .collect();
    format!("{lines}\n  Ctrl-C stops everything.\n")
}

/// Of somebody who is there.
const ORDER: &str =
    r#"{"user":"u-1","restaurant":"r-1","items":[{"dish":"miso ramen","quantity":2}]}"#;
