//! Makes tables out of the files in `data`, so that a program that has them parses nothing when it starts.

use std::error::Error;
use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=data");
    let mut files = Vec::new();
    for entry in fs::read_dir("data")? {
        files.push(entry?.path());
    }
    // They are named by days, so this is the order in which they came into force.
    files.sort();
    let mut lists = "&[".to_owned();
    for file in files {
        lists += &list(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    lists.push(']');
    fs::write(out()?.join("lists.rs"), lists)?;
    Ok(())
}

fn list(file: &PathBuf) -> Result<String> {
    let name = file.file_stem().and_then(|name| name.to_str());
    let since = day(name.unwrap_or_default()).ok_or("it is not named by a day: YYYY-MM-DD.csv")?;
    let text = fs::read_to_string(file)?;
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    if lines.next() != Some(HEADER) {
        return Err(format!("the first line that is no comment is not {HEADER}").into());
    }
    let mut prices = String::new();
    for line in lines {
        prices += &row(line).ok_or_else(|| format!("not a row of prices: {line}"))?;
    }
    Ok(format!(
        "List {{ since: Day({since}), prices: &[{prices}] }},"
    ))
}

fn row(line: &str) -> Option<String> {
    let fields: Vec<_> = line.split(',').collect();
    let [
        region,
        request,
        tmp,
        x86,
        x86_provisioned,
        arm,
        arm_provisioned,
    ] = fields[..]
    else {
        return None;
    };
    let mut row = String::new();
    write!(
        row,
        "Prices {{ region: {region:?}, request: {}, ephemeral_gb_second: {}, \
         x86: OfTime {{ gb_second: {}, provisioned_gb_second: {} }}, \
         arm: OfTime {{ gb_second: {}, provisioned_gb_second: {} }} }},",
        price(request)?,
        price(tmp)?,
        price(x86)?,
        price_or_none(x86_provisioned)?,
        price(arm)?,
        price_or_none(arm_provisioned)?,
    )
    .ok()?;
    Some(row)
}

/// As Rust writes it.
fn price(text: &str) -> Option<String> {
    let price: f64 = text.parse().ok()?;
    (price > 0.0 && price.is_finite()).then(|| format!("{price:e}"))
}

fn price_or_none(text: &str) -> Option<String> {
    match text {
        "" => Some("None".to_owned()),
        _ => Some(format!("Some({})", price(text)?)),
    }
}

/// Days from 1970-01-01 to `YYYY-MM-DD`.
fn day(text: &str) -> Option<u32> {
    let parts: Vec<u32> = text.split('-').flat_map(str::parse).collect();
    let [year, month @ 1..=12, day] = parts[..] else {
        return None;
    };
    let is_leap = |year: u32| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let days_of = |month| match month {
        2 => 28 + u32::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let years: u32 = (1970..year)
        .map(|year| 365 + u32::from(is_leap(year)))
        .sum();
    let months: u32 = (1..month).map(days_of).sum();
    (1..=days_of(month))
        .contains(&day)
        .then(|| years + months + day - 1)
}

/// Cargo's own variable, which only a build script reads.
#[allow(clippy::disallowed_methods)]
fn out() -> Result<PathBuf> {
    Ok(env::var("OUT_DIR")?.into())
}

const HEADER: &str = "region,request,tmp_gb_second,x86,x86_provisioned,arm,arm_provisioned";
