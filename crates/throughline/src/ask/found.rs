//! How much of what was found is shown.

use serde_json::Value;

use super::words::{counted, number};

/// What stands below a page of a list, newest first, in a line.
pub(super) fn summary(page: &Value, shown: usize, what: &str) -> String {
    let total = page["total"].as_u64().unwrap_or_default();
    let shown = shown as u64;
    let all = counted(total, what);
    match page["truncated"] == true {
        false if total == 0 => format!("no {what} is like this"),
        false if shown >= total => all,
        false => format!("the newest {} of {all}; --limit shows more", number(shown)),
        true if shown < total => {
            format!(
                "the newest {} of at least {all}; --limit shows more",
                number(shown)
            )
        }
        true => format!("{all}, but not all there is was looked at; --from and --to narrow it"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_shown_is_said() {
        let told = |total: u64, truncated: bool, shown: usize| {
            summary(
                &json!({"total": total, "truncated": truncated}),
                shown,
                "trace",
            )
        };
        assert_eq!(told(0, false, 0), "no trace is like this");
        assert_eq!(told(1, false, 1), "1 trace");
        assert_eq!(
            told(1234, false, 20),
            "the newest 20 of 1,234 traces; --limit shows more"
        );
        assert_eq!(
            told(300_100, true, 100),
            "the newest 100 of at least 300,100 traces; --limit shows more"
        );
        assert_eq!(
            told(0, true, 0),
            "0 traces, but not all there is was looked at; --from and --to narrow it"
        );
    }
}
