//! The attribute of `throughline-sdk`, which hands it on as `throughline::lambda`: use it from there.
//!
//! What it makes is a `main`, of paths that `throughline-sdk` has for it. It reads the signature of the handler to say
//! in words what would otherwise be an error of types, and deliberately knows nothing of Lambda.

mod lambda;

use proc_macro::TokenStream;

/// Makes the `main` of a function out of its handler.
///
/// The handler stays what it is: an `async fn` from `LambdaEvent<T>` to `Result<R, E>`, which tests can call. Beside it
/// comes a `main` that runs it as `throughline::run` does, on tokio's threads.
///
/// | argument | what it says |
/// |---|---|
/// | `init = connect` | an `async fn() -> Result<S, E>` that is called once, before the first event; the handler gets `&S` as its second argument |
/// | `crate = name` | what `throughline-sdk` is called here, if not `throughline` |
///
/// The `main` is as visible as the handler. A handler that is called `main` is inside of it.
#[proc_macro_attribute]
pub fn lambda(arguments: TokenStream, handler: TokenStream) -> TokenStream {
    lambda::expand(arguments.into(), handler.into()).into()
}
