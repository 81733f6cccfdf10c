use serde_json::{Value, json};

use super::Pattern;

fn matches(pattern: &Value, event: &Value) -> bool {
    Pattern::try_new(pattern).unwrap().matches(event)
}

#[test]
fn each_kind_of_test_matches_what_it_should() {
    let cases = [
        (json!(["a"]), json!("a"), true),
        (json!(["a"]), json!("b"), false),
        (json!(["a", "b"]), json!("b"), true),
        (json!(["a"]), json!(["x", "a"]), true),
        (json!([1]), json!(1.0), true),
        (json!(["1"]), json!(1), false),
        (json!([null]), json!(null), true),
        (json!([null]), json!(""), false),
        (json!([""]), json!(""), true),
        (json!([true]), json!(true), true),
        (json!([{"prefix": "ab"}]), json!("abc"), true),
        (json!([{"prefix": "bc"}]), json!("abc"), false),
        (json!([{"prefix": ""}]), json!("abc"), true),
        (json!([{"prefix": "1"}]), json!(12), false),
        (
            json!([{"prefix": {"equals-ignore-case": "AB"}}]),
            json!("abc"),
            true,
        ),
        (json!([{"suffix": ".png"}]), json!("a.png"), true),
        (json!([{"suffix": ".png"}]), json!("a.PNG"), false),
        (
            json!([{"suffix": {"equals-ignore-case": ".png"}}]),
            json!("a.PNG"),
            true,
        ),
        (
            json!([{"equals-ignore-case": "Alice"}]),
            json!("aLICE"),
            true,
        ),
        (json!([{"anything-but": "a"}]), json!("b"), true),
        (json!([{"anything-but": "a"}]), json!("a"), false),
        (json!([{"anything-but": ["a", "b"]}]), json!("b"), false),
        (json!([{"anything-but": [1, 2]}]), json!(3), true),
        (
            json!([{"anything-but": {"prefix": "in"}}]),
            json!("init"),
            false,
        ),
        (
            json!([{"anything-but": {"prefix": ["in", "out"]}}]),
            json!("other"),
            true,
        ),
        (
            json!([{"anything-but": {"suffix": ".txt"}}]),
            json!("a.txt"),
            false,
        ),
        (
            json!([{"anything-but": {"equals-ignore-case": ["ALICE"]}}]),
            json!("alice"),
            false,
        ),
        (
            json!([{"anything-but": {"wildcard": "*/lib/*"}}]),
            json!("a/lib/b"),
            false,
        ),
        (json!([{"anything-but": ["a"]}]), json!(["b", "a"]), false),
        (json!([{"numeric": [">", 0, "<=", 5]}]), json!(5), true),
        (json!([{"numeric": [">", 0, "<=", 5]}]), json!(0), false),
        (json!([{"numeric": ["=", 3.5]}]), json!(3.5), true),
        (json!([{"numeric": ["<", 1]}]), json!("0"), false),
        (json!([{"wildcard": "a*c"}]), json!("abbc"), true),
        (json!([{"wildcard": "a*c"}]), json!("abcd"), false),
        (json!([{"wildcard": "*a*a*"}]), json!("banana"), true),
        (json!([{"wildcard": "a*a"}]), json!("a"), false),
        (json!([{"wildcard": "a\\*"}]), json!("a*"), true),
        (json!([{"wildcard": "a\\*"}]), json!("ab"), false),
        (json!([{"cidr": "10.0.0.0/24"}]), json!("10.0.0.255"), true),
        (json!([{"cidr": "10.0.0.0/24"}]), json!("10.0.1.0"), false),
        (json!([{"cidr": "0.0.0.0/0"}]), json!("8.8.8.8"), true),
        (json!([{"cidr": "fd00::/8"}]), json!("fd12::1"), true),
        (json!([{"exists": true}]), json!("x"), true),
        (json!([{"exists": true}]), json!(null), true),
        (json!([{"exists": true}]), json!({"a": 1}), false),
        (json!([{"exists": false}]), json!("x"), false),
        (json!(["a", {"exists": false}]), json!("a"), true),
    ];
    for (tests, value, expected) in cases {
        let (pattern, event) = (json!({"key": tests}), json!({"key": value}));
        assert_eq!(matches(&pattern, &event), expected, "{pattern} on {event}");
    }
}

#[test]
fn keys_are_all_asked_for_and_alternatives_are_not() {
    let nested =
        json!({"source": ["shop"], "detail": {"order": {"total": [{"numeric": [">", 9]}]}}});
    let either = json!({"source": ["shop"], "$or": [{"a": [1]}, {"b": {"c": [2]}}]});
    let absent = json!({"detail": {"error": [{"exists": false}]}});
    let cases = [
        (
            &nested,
            json!({"source": "shop", "detail": {"order": {"total": 10}}}),
            true,
        ),
        (
            &nested,
            json!({"source": "shop", "detail": {"order": {"total": 9}}}),
            false,
        ),
        (
            &nested,
            json!({"source": "else", "detail": {"order": {"total": 10}}}),
            false,
        ),
        (
            &nested,
            json!({"source": "shop", "detail": {"order": [{"total": 1}, {"total": 10}]}}),
            true,
        ),
        (&nested, json!({"source": "shop"}), false),
        (&either, json!({"source": "shop", "a": 1}), true),
        (&either, json!({"source": "shop", "b": {"c": 2}}), true),
        (&either, json!({"source": "shop", "b": {"c": 3}}), false),
        (&either, json!({"a": 1}), false),
        (&absent, json!({"detail": {"error": "x"}}), false),
        (&absent, json!({"detail": {}}), true),
        (&absent, json!({}), true),
        (&absent, json!("no object"), true),
    ];
    for (pattern, event, expected) in cases {
        assert_eq!(matches(pattern, &event), expected, "{pattern} on {event}");
    }
}

#[test]
fn what_means_nothing_is_refused_with_its_place() {
    let cases = [
        (json!([]), "its beginning: expected an object"),
        (
            json!({}),
            "its beginning: an empty object matches nothing that can be said",
        ),
        (json!({"a": "x"}), "a: expected a list or an object"),
        (json!({"a": []}), "a: an empty list matches nothing"),
        (json!({"a": {"b": [["x"]]}}), "a.b: a list in a list"),
        (
            json!({"a": [{"near": "x"}]}),
            "a.near: unknown kind of test, or not with such an argument",
        ),
        (
            json!({"a": [{"prefix": 1}]}),
            "a.prefix: unknown kind of test, or not with such an argument",
        ),
        (
            json!({"a": [{"prefix": "x", "suffix": "y"}]}),
            "a: expected an object with one key",
        ),
        (
            json!({"a": [{"numeric": [">", "0"]}]}),
            "a.numeric: expected a list such as [\">\", 0, \"<=\", 5]",
        ),
        (
            json!({"a": [{"wildcard": "**"}]}),
            "a.wildcard: two stars in a row",
        ),
        (
            json!({"$or": [{"a": [1]}]}),
            "$or: expected at least two alternatives",
        ),
    ];
    for (pattern, expected) in cases {
        let error = Pattern::try_new(&pattern).unwrap_err().to_string();
        assert_eq!(error, format!("cannot use the pattern at {expected}"));
    }
}
