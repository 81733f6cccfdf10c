//! What comes of which handler.

use expect_test::{Expect, expect};

use super::*;

/// The tokens that are made, a statement a line.
fn check(arguments: &str, handler: &str, expected: Expect) {
    let made = expand(arguments.parse().unwrap(), handler.parse().unwrap());
    let parsed: syn::Result<syn::File> = syn::parse2(made.clone());
    parsed.expect("what is made is Rust");
    let text = made
        .to_string()
        .replace(" ; ", " ;\n")
        .replace(" { ", " {\n");
    expected.assert_eq(&text);
}

/// Why there is no `main`.
fn check_error(arguments: &str, handler: &str, expected: Expect) {
    let made = expand(arguments.parse().unwrap(), handler.parse().unwrap());
    let text = made.to_string();
    let (_, why) = text
        .split_once(":: core :: compile_error")
        .expect("an error");
    expected.assert_eq(
        why.trim_start_matches([' ', '!', '{'])
            .trim_end_matches([' ', '}']),
    );
}

#[test]
fn handler_has_a_main_beside_it() {
    check(
        "",
        "pub(crate) async fn order(event: LambdaEvent<Value>) -> Result<Value, Error> { Ok(event.payload) }",
        expect![[r#"
            pub (crate) async fn order (event : LambdaEvent < Value >) -> Result < Value , Error > {
            Ok (event . payload) } pub (crate) fn main () -> :: core :: result :: Result < () , throughline :: __lambda :: Error > {
            throughline :: __lambda :: block_on (async {
            throughline :: __lambda :: listen () ;
            throughline :: __lambda :: run (throughline :: __lambda :: service_fn (order)) . await }) }"#]],
    );
}

#[test]
fn handler_shares_what_init_makes() {
    check(
        "init = db::connect, crate = throughline_sdk",
        "async fn order(event: LambdaEvent<Value>, db: &Client) -> Result<Value, Error> { db.get(event).await }",
        expect![[r#"
            async fn order (event : LambdaEvent < Value > , db : & Client) -> Result < Value , Error > {
            db . get (event) . await } fn main () -> :: core :: result :: Result < () , throughline_sdk :: __lambda :: Error > {
            throughline_sdk :: __lambda :: block_on (async {
            let shared = db :: connect () . await ? ;
            throughline_sdk :: __lambda :: listen () ;
            throughline_sdk :: __lambda :: run (throughline_sdk :: __lambda :: service_fn (| event | order (event , & shared))) . await }) }"#]],
    );
}

#[test]
fn handler_that_is_called_main_is_inside_of_it() {
    check(
        "",
        "async fn main(_: LambdaEvent<Value>) -> Result<(), Error> { Ok(()) }",
        expect![[r#"
            fn main () -> :: core :: result :: Result < () , throughline :: __lambda :: Error > {
            async fn handler (_ : LambdaEvent < Value >) -> Result < () , Error > {
            Ok (()) } throughline :: __lambda :: block_on (async {
            throughline :: __lambda :: listen () ;
            throughline :: __lambda :: run (throughline :: __lambda :: service_fn (handler)) . await }) }"#]],
    );
}

#[test]
fn what_is_no_handler_is_told_in_words() {
    let good = "async fn order(event: LambdaEvent<Value>) -> Result<Value, Error> {}";
    for (arguments, handler, expected) in [
        (
            "",
            "struct Order;",
            expect![[r#""this goes on an `async fn`""#]],
        ),
        (
            "",
            "fn order(event: LambdaEvent<Value>) -> Result<Value, Error> {}",
            expect![[r#""a handler is an `async fn`""#]],
        ),
        (
            "",
            "async fn order<T>(event: LambdaEvent<T>) -> Result<T, Error> {}",
            expect![[r#""a handler is not generic: say which event it takes""#]],
        ),
        (
            "",
            "async fn order(event: LambdaEvent<Value>) {}",
            expect![[r#""a handler returns a `Result`, of `()` if it has no answer""#]],
        ),
        (
            "",
            "async fn order() -> Result<Value, Error> {}",
            expect![[r#""a handler takes its event: `event: LambdaEvent<T>`""#]],
        ),
        (
            "",
            "async fn order(&self) -> Result<Value, Error> {}",
            expect![[
                r#""a handler is no method; what it needs besides its event comes from `init`""#
            ]],
        ),
        (
            "",
            "async fn order(event: LambdaEvent<Value>, db: &Client) -> Result<Value, Error> {}",
            expect![[r#""say which function makes this: `init = path`""#]],
        ),
        (
            "init = a",
            "async fn order(event: LambdaEvent<Value>, db: &Client, more: u8) -> Result<Value, Error> {}",
            expect![[r#""a handler takes its event and what `init` makes, and no more""#]],
        ),
        (
            "init = connect",
            good,
            expect![[r#""the handler takes nothing from `init`: it has one argument, the event""#]],
        ),
        (
            "setup = connect",
            good,
            expect![[r#""expected `init = path` or `crate = path`""#]],
        ),
        (
            "init = a, init = b",
            good,
            expect![[r#""this was said before""#]],
        ),
        ("init", good, expect![[r#""expected `=`""#]]),
        (
            "\"init\"",
            good,
            expect![[r#""expected `init = path` or `crate = path`""#]],
        ),
    ] {
        check_error(arguments, handler, expected);
    }
}
