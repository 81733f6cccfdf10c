//! The answer as a person reads it: a line a function, and below it what is missing, by reason.

use std::collections::BTreeMap;

use serde_json::Value;

/// Everything that is missing of one function for one reason.
#[derive(Default)]
struct Lack {
    items: u64,
    /// Whether of some of it nobody knows how much it is.
    more: bool,
    batches: u64,
    environments: Vec<String>,
    last_seen_nanos: u64,
}

/// Functions as text. Those with something missing come first, the worst at the top.
pub(super) fn render(functions: &[Value], now_nanos: u64) -> String {
    if functions.is_empty() {
        return "no extension has sent a numbered batch yet\n".to_owned();
    }
    let mut functions: Vec<&Value> = functions.iter().collect();
    functions.sort_by_key(|function| hundredths(function));
    let width = functions
        .iter()
        .map(|function| name(function).chars().count());
    let width = width.max().unwrap_or(0).max("FUNCTION".len());
    let mut text = format!(
        "{:width$}  {:>8}  {:>12}  {:>12}  {:>12}\n",
        "FUNCTION", "COMPLETE", "STORED", "TAKEN IN", "ENVIRONMENTS"
    );
    for function in functions {
        let cell = |key: &str| function[key].as_str().unwrap_or("?").to_owned();
        text += &format!(
            "{:width$}  {:>6} %  {:>12}  {:>12}  {:>12}\n",
            name(function),
            cell("complete"),
            cell("received"),
            cell("accepted"),
            environments(function),
        );
        for line in lacks(function, now_nanos) {
            text += &format!("  {line}\n");
        }
    }
    text
}

fn name(function: &Value) -> &str {
    match function["function"].as_str() {
        None | Some("") => "(no name)",
        Some(name) => name,
    }
}

fn hundredths(function: &Value) -> u64 {
    let digits = function["complete"]
        .as_str()
        .unwrap_or_default()
        .replace('.', "");
    digits.parse().unwrap_or(0)
}

fn environments(function: &Value) -> String {
    let (all, open) = (&function["environments"], &function["environments_open"]);
    match open.as_u64() {
        None | Some(0) => all.to_string(),
        Some(open) => format!("{all}, {open} open"),
    }
}

/// What is missing, a line a reason.
fn lacks(function: &Value, now_nanos: u64) -> Vec<String> {
    let missing = function["missing"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut reasons: BTreeMap<&str, Lack> = BTreeMap::new();
    for entry in missing {
        reasons
            .entry(entry["why"].as_str().unwrap_or("unknown"))
            .or_default()
            .add(entry);
    }
    // What was given up before it got into a batch is only counted.
    for (reason, items) in function["dropped"].as_object().into_iter().flatten() {
        let lack = reasons.entry(reason).or_default();
        lack.items = lack.items.max(number(items));
    }
    let mut lines: Vec<String> = reasons
        .iter()
        .map(|(reason, lack)| {
            format!(
                "{:<12} {}",
                reason.replace('_', " "),
                lack.describe(now_nanos)
            )
        })
        .collect();
    lines.extend(vanished(function, now_nanos));
    let listed = missing.len() as u64;
    let more = function["missing_total"]
        .as_u64()
        .unwrap_or(0)
        .saturating_sub(listed);
    if more > 0 {
        lines.push(format!("and {more} more, see --json"));
    }
    if reasons.contains_key("printed") {
        lines.push(
            "printed is in CloudWatch Logs; read it back with `throughline replay`".to_owned(),
        );
    }
    lines
}

/// Who ended without a word: of what such ones took in at last nothing can be said.
fn vanished(function: &Value, now_nanos: u64) -> Option<String> {
    let open = function["open"].as_array()?.iter();
    let vanished: Vec<&Value> = open.filter(|open| open["vanished"] == true).collect();
    let [first, others @ ..] = vanished.as_slice() else {
        return None;
    };
    let name = first["environment"].as_str().unwrap_or_default();
    let seen = number(&first["last_seen_unix_nanos"]);
    let ago = ago(now_nanos.saturating_sub(seen));
    let more = match others.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "no farewell  of {name}, heard of {ago} ago{more}: what came after is not known"
    ))
}

impl Lack {
    fn add(&mut self, entry: &Value) {
        self.items += number(&entry["items"]);
        self.more |= entry["items"].is_null();
        if let (Some(first), Some(last)) = (entry["first"].as_u64(), entry["last"].as_u64()) {
            self.batches += last.saturating_sub(first) + 1;
        }
        let environment = entry["environment"].as_str().unwrap_or_default();
        if !self.environments.iter().any(|known| known == environment) {
            self.environments.push(environment.to_owned());
        }
        self.last_seen_nanos = self
            .last_seen_nanos
            .max(number(&entry["last_seen_unix_nanos"]));
    }

    fn describe(&self, now_nanos: u64) -> String {
        let items = match (self.items, self.more) {
            (0, true) => "not known how many items".to_owned(),
            (items, true) => format!("{items} items at least"),
            (items, false) => counted(items, "item"),
        };
        if self.environments.is_empty() {
            return items;
        }
        let batches = match self.batches {
            0 => "not yet in a batch".to_owned(),
            batches => counted_in(batches, "batch", "batches"),
        };
        let who = match self.environments.as_slice() {
            [one] => one.clone(),
            several => format!("{} environments", several.len()),
        };
        let ago = ago(now_nanos.saturating_sub(self.last_seen_nanos));
        format!("{items}, {batches} of {who}, heard of {ago} ago")
    }
}

fn counted(count: u64, what: &str) -> String {
    counted_in(count, what, &format!("{what}s"))
}

fn counted_in(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn number(value: &Value) -> u64 {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// The two largest units are more than anybody reads.
fn ago(nanos: u64) -> String {
    let seconds = nanos / 1_000_000_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    const HOUR: u64 = 3_600_000_000_000;

    fn missing(environment: &str, numbers: Option<(u64, u64)>, items: Value, why: &str) -> Value {
        let (first, last) = numbers.unzip();
        json!({"environment": environment, "first": first, "last": last, "items": items, "why": why,
               "last_seen_unix_nanos": HOUR.to_string()})
    }

    fn function(name: &str, complete: &str, missing: Vec<Value>, dropped: Value) -> Value {
        let total = missing.len();
        json!({"function": name, "complete": complete, "received": "5186", "accepted": "5210", "environments": 20,
               "environments_open": 3, "open": [], "missing": missing, "missing_total": total, "dropped": dropped})
    }

    #[test]
    fn the_worst_comes_first_with_its_reasons() {
        let whole = function("payment", "100.00", vec![], json!({}));
        let mut bad = function(
            "checkout-with-a-long-name",
            "99.53",
            vec![
                missing("e-1", Some((9, 11)), json!("24"), "buffer_full"),
                missing("e-2", Some((4, 4)), json!("5"), "printed"),
                missing("e-3", Some((6, 7)), json!("1"), "printed"),
                missing("e-3", Some((1, 1)), Value::Null, "unknown"),
                missing("e-1", None, json!("1"), "on_its_way"),
            ],
            json!({"buffer_full": "30", "rejected": "1"}),
        );
        bad["missing_total"] = json!(7);
        let open = |name: &str, vanished: bool| json!({"environment": name, "last_seen_unix_nanos": HOUR.to_string(), "vanished": vanished});
        bad["open"] = json!([open("e-4", true), open("e-5", true), open("e-6", false)]);
        expect![[r#"
            FUNCTION                   COMPLETE        STORED      TAKEN IN  ENVIRONMENTS
            checkout-with-a-long-name   99.53 %          5186          5210    20, 3 open
              buffer full  30 items, 3 batches of e-1, heard of 2 h ago
              on its way   1 item, not yet in a batch of e-1, heard of 2 h ago
              printed      6 items, 3 batches of 2 environments, heard of 2 h ago
              rejected     1 item
              unknown      not known how many items, 1 batch of e-3, heard of 2 h ago
              no farewell  of e-4, heard of 2 h ago and 1 more: what came after is not known
              and 2 more, see --json
              printed is in CloudWatch Logs; read it back with `throughline replay`
            payment                    100.00 %          5186          5210    20, 3 open
        "#]]
        .assert_eq(&render(&[whole, bad], 3 * HOUR));
    }

    #[test]
    fn nothing_to_say() {
        expect![[r#"
            no extension has sent a numbered batch yet
        "#]]
        .assert_eq(&render(&[], 0));
    }

    #[test]
    fn how_long_ago() {
        let told =
            [0, 119, 120, 7199, 7200, 172_799, 172_800].map(|seconds| ago(seconds * 1_000_000_000));
        assert_eq!(
            told.join(", "),
            "0 s, 119 s, 2 min, 119 min, 2 h, 47 h, 2 days"
        );
    }
}
