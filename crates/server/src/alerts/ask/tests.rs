use serde_json::json;

use super::*;

#[test]
fn those_that_were_followed_stand_for_all() {
    let check = |followed: (u64, u64), all: u64, good: u64, bad: u64| {
        assert_eq!(scaled(followed.0, followed.1, all), Counts { good, bad });
    };
    check((7, 3), 10, 7, 3);
    check((70, 30), 1000, 700, 300);
    check((199, 1), 1001, 995, 6);
    check((0, 5), 500, 0, 500);
    check((0, 0), 500, 0, 0);
}

#[test]
fn the_worst_group_is_the_number() {
    let alert = |breakdowns: &[&str]| -> Alert {
        let query = json!({"breakdowns": breakdowns, "calculations": [{"op": "P99", "column": "duration_ms"}]});
        let alert = json!({"name": "slow", "query": query, "op": ">", "value": 10});
        serde_json::from_value(alert).unwrap()
    };
    let worst = |alert: &Alert, rows: &[Value]| {
        worst(alert, &alert.query.as_ref().unwrap().breakdowns, rows)
    };
    let rows = [
        json!(["pay", null, 40.5]),
        json!(["order", 7, 11]),
        json!(["mail", 8, 9]),
        json!(["nothing", 8, null]),
    ];
    let number = worst(&alert(&["service", "user"]), &rows);
    assert_eq!(number.value, Some(40.5));
    assert_eq!(
        number.groups,
        ["service pay, user (none)", "service order, user 7"]
    );
    let alone = worst(&alert(&[]), &[json!(["9007199254740993"])]);
    assert_eq!(alone.value, Some(9_007_199_254_740_992.0));
    assert_eq!(alone.groups, Vec::<String>::new());
    assert_eq!(worst(&alert(&[]), &[json!([null])]).value, None);
    assert_eq!(worst(&alert(&["service"]), &[]), Number::default());
}

#[test]
fn the_last_column_is_the_number() {
    let check = |op: &str, answer: Value| {
        let alert = json!({"name": "few", "sql": "select 1", "op": op, "value": 10});
        let alert: Alert = serde_json::from_value(alert).unwrap();
        table(&alert, answer).map_err(|error| error.to_string())
    };
    let answer = |rows: Value| json!({"columns": [{"name": "f"}, {"name": "calls"}], "rows": rows});
    let rows =
        json!([["pay", 4], ["mail", null], ["order", "12"], [{"node": "function:stock"}, 3]]);
    let few = check("<", answer(rows.clone())).unwrap();
    assert_eq!(few.value, Some(3.0));
    assert_eq!(few.groups, ["f function:stock", "f pay"]);
    let many = check(">", answer(rows)).unwrap();
    assert_eq!(
        (many.value, many.groups),
        (Some(12.0), vec!["f order".to_owned()])
    );
    assert_eq!(check(">", answer(json!([]))), Ok(Number::default()));
    let many: Vec<Value> = (0..100).map(|n| json!([n, 50 + n])).collect();
    let worst = check(">", answer(many.into())).unwrap();
    assert_eq!((worst.value, worst.groups.len()), (Some(149.0), 10));
    assert_eq!(
        check(">", answer(json!([["pay", "soon"]]))).unwrap_err(),
        "the last column of an alert's answer is its number: \"soon\" is none"
    );
    let alone = json!({"columns": [{"name": "calls"}], "rows": [[11]]});
    let alone = check(">", alone).unwrap();
    assert_eq!((alone.value, alone.groups), (Some(11.0), Vec::new()));
}
