use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::{Rule, Rules, Scrubber};

fn scrubbed(text: &str) -> String {
    Scrubber::new(Rules::default()).text(text).into_owned()
}

fn check(texts: &[&str], expect: Expect) {
    let lines: Vec<_> = texts.iter().map(|text| scrubbed(text)).collect();
    expect.assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn values_under_secret_names_go_wherever_they_stand() {
    check(
        &[
            r#"{"password":"hunter2","n":1}"#,
            r#"{"body":"{\"password\":\"hun\\\"ter2\",\"n\":1}"}"#,
            r#"{"a":"{\"b\":\"{\\\"token\\\":\\\"t0\\\",\\\"n\\\":1}\"}"}"#,
            r#"{"pin": 1234, "cvv":null, "token": true}"#,
            r#"{"credentials":{"user":"ann","x":"}"},"n":[1]}"#,
            r#"{"password":"cut off in the midd"#,
            r#"{"secret":""}"#,
            "POST /login?user=ann&password=hunter2&next=/ HTTP/1.1",
            "Authorization: Bearer abc.def-123\nAccept: */*",
            "Cookie: a=b; c=d\nHost: x",
            "level=info token=abc123 user=ann",
            "db_password = 'it''s'; n = 1",
            "X-Amz-Signature=0123abcd&X-Amz-Date=20260101",
            "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "password: [redacted] token=***",
            "{'api_key': 'abc', 'n': 1}",
            "headers => {\"Set-Cookie\" => \"s=1\"}",
        ],
        expect![[r#"
            {"password":"[redacted]","n":1}
            {"body":"{\"password\":\"[redacted]\",\"n\":1}"}
            {"a":"{\"b\":\"{\\\"token\\\":\\\"[redacted]\\\",\\\"n\\\":1}\"}"}
            {"pin": "[redacted]", "cvv":null, "token": true}
            {"credentials":"[redacted]","n":[1]}
            {"password":"[redacted]
            {"secret":""}
            POST /login?user=ann&password=[redacted]&next=/ HTTP/1.1
            Authorization: [redacted]
            Accept: */*
            Cookie: [redacted]
            Host: x
            level=info token=[redacted] user=ann
            db_password = '[redacted]''s'; n = 1
            X-Amz-Signature=[redacted]&X-Amz-Date=20260101
            AWS_SECRET_ACCESS_KEY=[aws-secret]
            password: [redacted] token=***
            {'api_key': '[redacted]', 'n': 1}
            headers => {"Set-Cookie" => "[redacted]"}
        "#]],
    );
}

#[test]
fn secrets_are_known_by_how_they_look() {
    check(
        &[
            "card 4111 1111 1111 1111, 5500-0000-0000-0004 and 378282246310005.",
            "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sig_na-ture done",
            "key AKIAIOSFODNN7EXAMPLE!",
            "the aws secret is wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- after",
            "-----BEGIN PRIVATE KEY-----\nMIIE and cut",
            "sent Bearer abcdefgh123 and Basic dXNlcjpwYXNz",
            "ghp_0123456789abcdefghijABCDEFGHIJ012345 xoxb-1234567890-abc sk_live_0123456789abcdef",
            "postgres://ann:hunter2@db:5432/shop https://x/y",
            "mail to Ann.Smith+a@example.com, please",
        ],
        expect![[r#"
            card [card:…1111], [card:…0004] and [card:…0005].
            jwt [jwt] done
            key [aws-key]!
            the aws secret is [aws-secret]
            [private-key] after
            [private-key]
            sent Bearer [redacted] and Basic [redacted]
            [token] [token] [token]
            postgres://ann:***@db:5432/shop https://x/y
            mail to [email:1a31]@example.com, please
        "#]],
    );
}

#[test]
fn what_is_no_secret_stays_as_it_is() {
    let texts = [
        "",
        "an ordinary line, 12:30:45, n=5, url=https://example.com/a:b",
        "trace 5b8efff798038103d269b633813fc60c span eee19b7ec3c1b174",
        "request 8f4e1d2c-4111-1111-1111-111111111111",
        "1732160000000000000 and 4111111111111112 and 0.4111111111111111",
        "arn:aws:lambda:us-east-1:123456789012:function:checkout",
        r#"{"s3":{"object":{"key":"a/b.txt"}},"partitionKey":"p-1"}"#,
        "basic authentication is used by bearers of bad news",
        "eyJ.eyJ.x and AKIA and sk-short and x@y and @example.com",
        "2026-11-21T05:27:05.123Z INFO passengers: 4",
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    ];
    for text in texts {
        assert_eq!(scrubbed(text), text);
    }
}

#[test]
fn what_is_asked_for_only_stays_until_asked_for() {
    let text = "078-05-1120 GB82WEST12345698765432 10.1.2.3 order-77";
    assert_eq!(scrubbed(text), text);
    let rules = Rules::default().ssn(true).iban(true).ipv4(true);
    let rules = rules.pattern("order", r"order-\d+").unwrap();
    let mut scrubber = Scrubber::new(rules);
    assert_eq!(scrubber.text(text), "[ssn] [iban] 10.1.2.0 [order]");
    let counts: Vec<_> = scrubber
        .counts()
        .iter()
        .map(|(rule, count)| format!("{rule} {count}"))
        .collect();
    assert_eq!(counts, ["ssn 1", "iban 1", "ipv4 1", "order 1"]);
    assert_eq!(scrubber.counts().of(&Rule::Card), 0);
    assert!(Rules::default().pattern("all", "x*").is_err());
    assert!(Rules::default().pattern("bad", "(").is_err());
}

#[test]
fn hash_of_an_address_depends_on_the_key_and_not_on_its_case() {
    let with = |key, text: &str| {
        let mut scrubber = Scrubber::new(Rules::default().hash_key(key));
        scrubber.text(text).into_owned()
    };
    assert_eq!(
        with((1, 2), "ann@example.com"),
        with((1, 2), "ANN@example.com").replace("ANN", "ann")
    );
    assert_ne!(
        with((1, 2), "ann@example.com"),
        with((1, 3), "ann@example.com")
    );
}

/// The patterns as they are published, one of each detector that has no further check.
fn published() -> Vec<(&'static str, regex::Regex)> {
    [
        (
            "jwt",
            r"eyJ[A-Za-z0-9_-]{8,40}\.eyJ[A-Za-z0-9_-]{8,40}\.[A-Za-z0-9_-]{0,40}",
        ),
        ("aws-key", r"(AKIA|ASIA|AGPA|AIDA|AROA)[A-Z2-7]{16}"),
        ("github", r"gh[pousr]_[A-Za-z0-9]{36,40}"),
        ("slack", r"xox[abprs]-[A-Za-z0-9-]{10,30}"),
        ("stripe", r"[sr]k_(live|test)_[A-Za-z0-9]{16,30}"),
        ("google", r"AIza[0-9A-Za-z_-]{35}"),
        ("npm", r"npm_[A-Za-z0-9]{36}"),
        ("gitlab", r"glpat-[A-Za-z0-9_-]{20}"),
        ("openai", r"sk-[A-Za-z0-9_-]{20,40}"),
        ("bearer", r"(?i:bearer) [A-Z0-9._~+/=-]{8,40}"),
        (
            "url",
            r"https://[a-z]{1,9}:[A-Za-z0-9!$%^]{1,20}@h\.example",
        ),
    ]
    .map(|(name, pattern)| (name, regex::Regex::new(pattern).unwrap()))
    .into()
}

fn secret() -> impl Strategy<Value = String> {
    let patterns: Vec<_> = published()
        .into_iter()
        .map(|(_, pattern)| {
            proptest::string::string_regex(pattern.as_str())
                .unwrap()
                .boxed()
        })
        .collect();
    proptest::strategy::Union::new(patterns)
}

/// Puts JSON into a string of JSON, so many times.
fn nested(mut json: String, depth: usize) -> String {
    for _ in 0..depth {
        json = serde_free_quote(&json);
        json = format!(r#"{{"inner":{json},"n":1}}"#);
    }
    json
}

fn serde_free_quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

proptest! {
    #[test]
    fn secret_of_any_kind_is_found_between_any_text(
        before in "[ -~äß\n]{0,40}[ \"'(,\n]",
        secret in secret(),
        after in "[ \"'),\n][ -~äß\n]{0,40}",
    ) {
        let text = format!("{before}{secret}{after}");
        let scrubbed = scrubbed(&text);
        for (name, pattern) in published() {
            prop_assert!(!pattern.is_match(&scrubbed) || !pattern.is_match(&secret), "{name}: {scrubbed}");
        }
    }

    #[test]
    fn password_is_found_however_deeply_its_json_is_quoted(
        password in "[A-Za-z0-9 !#%&,:;{}\\[\\]\"\\\\]{6,30}zq9",
        depth in 0_usize..5,
        name in "(db_|user-|)(password|apiKey|Secret|access_token)",
    ) {
        let json = format!(r#"{{"user":"ann","{name}":{},"after":"kept"}}"#, serde_free_quote(&password));
        let scrubbed = scrubbed(&nested(json, depth));
        prop_assert!(!scrubbed.contains("zq9"), "{scrubbed}");
        prop_assert!(scrubbed.contains("kept"), "{scrubbed}");
    }

    #[test]
    fn any_text_is_scrubbed_without_panic_and_only_once(text in "\\PC{0,200}") {
        let once = scrubbed(&text);
        prop_assert_eq!(scrubbed(&once), once);
    }

    #[test]
    fn card_numbers_of_every_issuer_are_found_in_groups_or_not(
        issuer in prop::sample::select(vec!["4", "51", "55", "2221", "2720", "6011", "65", "35"]),
        digits in "[0-9]{15}",
        separator in prop::sample::select(vec!["", " ", "-"]),
    ) {
        let mut digits = format!("{issuer}{digits}");
        digits.truncate(15);
        let check = (0..10).find(|check| luhn(&format!("{digits}{check}"))).unwrap();
        let digits = format!("{digits}{check}");
        let groups: Vec<_> = digits.as_bytes().chunks(4).map(|group| std::str::from_utf8(group).unwrap()).collect();
        let text = format!("paid with {}.", groups.join(separator));
        prop_assert_eq!(scrubbed(&text), format!("paid with [card:…{}].", &digits[12..]));
    }
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = digit.to_digit(10).unwrap() * (1 + u32::from(place % 2 == 1));
            digit / 10 + digit % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

#[test]
fn names_and_values_that_stand_beside_each_other() {
    check(
        &[
            r#"[["Authorization","xyz"],["Host","h"]]"#,
            r#"["Host","h","X-Api-Key","k-1","Accept","*/*"]"#,
            r#"{"rawHeaders":"[\"Cookie\",\"a=b\"]"}"#,
            r#"{"name":"Authorization","value":"xyz","n":1}"#,
            r#"{"value": "xyz", "key": "db_password"}"#,
            r#"{"name":"color","value":"red"}"#,
            r#"{"fields":["password","email","name"]}"#,
            "<User><wsse:Password>hunter2</wsse:Password><Name>ann</Name></User>",
            "run --password hunter2 --user ann --token=t-1 --verbose",
            r#"{"password":{"S":"hunter2"},"n":{"N":"1"}}"#,
            "user[name]=ann&user[password]=hunter2&user%5Bpin%5D=1234",
        ],
        expect![[r#"
            [["Authorization","[redacted]"],["Host","h"]]
            ["Host","h","X-Api-Key","[redacted]","Accept","*/*"]
            {"rawHeaders":"[\"Cookie\",\"[redacted]\"]"}
            {"name":"Authorization","value":"[redacted]","n":1}
            {"value": "[redacted]", "key": "db_password"}
            {"name":"color","value":"red"}
            {"fields":["password","email","name"]}
            <User><wsse:Password>[redacted]</wsse:Password><Name>ann</Name></User>
            run --password [redacted] --user ann --token=[redacted] --verbose
            {"password":"[redacted]","n":{"N":"1"}}
            user[name]=ann&user[password]=[redacted]&user%5Bpin%5D=[redacted]
        "#]],
    );
}

#[test]
fn secrets_are_found_behind_encodings_and_unusual_separators() {
    check(
        &[
            "next=%2Flogin%3Fpassword%3Dhunter2%26user%3Dann",
            "%7B%22password%22%3A%22hunter2%22%2C%22n%22%3A1%7D",
            "password%253Dhunter2%2526x",
            "to=ann%40example.com&card=4111%201111%201111%201111",
            r#"{"url":"postgres:\/\/ann:hunter2@db:5432\/shop"}"#,
            r#"{"q":"a=1\u0026password=hunter2"}"#,
            "&quot;token&quot;:&quot;t-1&quot;,&quot;n&quot;:1",
            "4111.1111.1111.1111 4111\u{a0}1111\u{a0}1111\u{a0}1111 4111_1111_1111_1111",
            "“ghp_0123456789abcdefghijABCDEFGHIJ012345” →AKIAIOSFODNN7EXAMPLE",
            "jürgen@exämple.de 'ann@example.com'",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBF\n-----END PGP PRIVATE KEY BLOCK----- after",
        ],
        expect![[r#"
            next=%2Flogin%3Fpassword%3D[redacted]%26user%3Dann
            %7B%22password%22%3A%22[redacted]%22%2C%22n%22%3A1%7D
            password%253D[redacted]%2526x
            to=[email:76b5]%40example.com&card=[card:…1111]
            {"url":"postgres:\/\/ann:***@db:5432\/shop"}
            {"q":"a=1\u0026password=[redacted]"}
            &quot;token&quot;:&quot;[redacted]&quot;,&quot;n&quot;:1
            [card:…1111] [card:…1111] [card:…1111]
            “[token]” →[aws-key]
            [email:f056]@exämple.de '[email:76b5]@example.com'
            [private-key] after
        "#]],
    );
}

#[test]
fn a_key_that_is_logged_line_by_line_is_found_on_every_line() {
    let mut scrubber = Scrubber::new(Rules::default());
    let key = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let lines = [
        ("starting", "starting"),
        ("-----BEGIN PRIVATE KEY-----", "[private-key]"),
        (key, "[private-key]"),
        (
            "another line of the function",
            "another line of the function",
        ),
        (key, "[private-key]"),
        ("MzEfYyjiWA4R4/M2==\n", "[private-key]"),
        ("-----END PRIVATE KEY-----", "[private-key]"),
        (key, key),
    ];
    for (line, expected) in lines {
        assert_eq!(scrubber.line(line), expected);
    }
}

#[test]
fn base64_of_text_is_looked_into_and_stays_base64() {
    use ::base64::Engine;
    use ::base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

    let mut scrubber = Scrubber::new(Rules::default());
    for (plain, expected) in [
        (
            r#"{"user":"ann","password":"hunter2"}"#,
            r#"{"user":"ann","password":"[redacted]"}"#,
        ),
        (
            "paid with 4111 1111 1111 1111, thanks",
            "paid with [card:…1111], thanks",
        ),
        (
            "nothing of that kind in here at all",
            "nothing of that kind in here at all",
        ),
    ] {
        for (encoded, as_expected) in [
            (STANDARD.encode(plain), STANDARD.encode(expected)),
            (
                STANDARD_NO_PAD.encode(plain),
                STANDARD_NO_PAD.encode(expected),
            ),
        ] {
            let event = |data: &str| format!(r#"{{"kinesis":{{"data":"{data}","n":1}}}}"#);
            let scrubbed = scrubber.text(&event(&encoded)).into_owned();
            assert_eq!(scrubbed, event(&as_expected), "{plain}");
            assert_eq!(scrubber.text(&scrubbed), scrubbed, "twice");
        }
    }
    let twice = STANDARD.encode(STANDARD.encode(r#"{"password":"hunter2"}"#));
    let inner = STANDARD.decode(&*scrubber.text(&twice)).unwrap();
    assert_eq!(
        STANDARD.decode(inner).unwrap(),
        br#"{"password":"[redacted]"}"#
    );
    let harmless = [
        "0af7651916cd43dd8448eb211c80319c of 62e900b2710d76f009d6e7785905449a",
        "/usr/lib/python3/site/packages/something/else.py",
        "arn:aws:lambda:eu-west-1:123456789012:function:checkout",
        "bm90aGluZw== c2hvcnQ=",
    ];
    for text in harmless {
        assert_eq!(scrubber.text(text), text);
    }
}
