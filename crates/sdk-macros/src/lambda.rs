//! From the tokens of a handler to those of its `main`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, FnArg, Ident, ItemFn, Path, Result, ReturnType, Token};

/// The handler with its `main`; of one that cannot be, the handler and why.
pub(crate) fn expand(arguments: TokenStream, handler: TokenStream) -> TokenStream {
    let parsed: Result<ItemFn> = syn::parse2(handler.clone());
    let parsed = parsed.map_err(|error| Error::new(error.span(), "this goes on an `async fn`"));
    let made = parsed.and_then(|parsed| {
        let arguments: Arguments = syn::parse2(arguments)?;
        check(&parsed, &arguments)?;
        Ok(main_of(parsed, &arguments))
    });
    made.unwrap_or_else(|error| {
        let why = error.to_compile_error();
        quote!(#handler #why)
    })
}

/// What stands behind `#[lambda`.
#[derive(Default)]
struct Arguments {
    init: Option<Path>,
    krate: Option<Path>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = Arguments::default();
        while !input.is_empty() {
            let (slot, name) = if input.peek(Token![crate]) {
                (&mut arguments.krate, input.parse::<Token![crate]>()?.span)
            } else {
                let name: Ident = input.parse().map_err(|error| unknown(error.span()))?;
                if name != "init" {
                    return Err(unknown(name.span()));
                }
                (&mut arguments.init, name.span())
            };
            input.parse::<Token![=]>()?;
            if slot.replace(input.call(Path::parse_mod_style)?).is_some() {
                return Err(Error::new(name, "this was said before"));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}

fn unknown(span: Span) -> Error {
    Error::new(span, "expected `init = path` or `crate = path`")
}

/// Says what else would be an error about types that nobody wrote.
fn check(handler: &ItemFn, arguments: &Arguments) -> Result<()> {
    let signature = &handler.sig;
    let mut inputs = signature.inputs.iter();
    if signature.asyncness.is_none() {
        let why = "a handler is an `async fn`";
        return Err(Error::new(signature.fn_token.span, why));
    }
    if !signature.generics.params.is_empty() {
        let why = "a handler is not generic: say which event it takes";
        return Err(Error::new(signature.generics.span(), why));
    }
    if matches!(signature.output, ReturnType::Default) {
        let why = "a handler returns a `Result`, of `()` if it has no answer";
        return Err(Error::new(signature.ident.span(), why));
    }
    match inputs.next() {
        None => {
            let why = "a handler takes its event: `event: LambdaEvent<T>`";
            return Err(Error::new(signature.ident.span(), why));
        }
        Some(FnArg::Receiver(own)) => {
            let why = "a handler is no method; what it needs besides its event comes from `init`";
            return Err(Error::new(own.span(), why));
        }
        Some(FnArg::Typed(_)) => {}
    }
    match (inputs.next(), &arguments.init) {
        (None, Some(init)) => {
            let why = "the handler takes nothing from `init`: it has one argument, the event";
            return Err(Error::new(init.span(), why));
        }
        (Some(second), None) => {
            let why = "say which function makes this: `init = path`";
            return Err(Error::new(second.span(), why));
        }
        _ => {}
    }
    match inputs.next() {
        None => Ok(()),
        Some(third) => {
            let why = "a handler takes its event and what `init` makes, and no more";
            Err(Error::new(third.span(), why))
        }
    }
}

fn main_of(mut handler: ItemFn, arguments: &Arguments) -> TokenStream {
    let visible = handler.vis.clone();
    let is_main = handler.sig.ident == "main";
    if is_main {
        handler.sig.ident = format_ident!("handler", span = handler.sig.ident.span());
    }
    let name = &handler.sig.ident;
    // No `::` before it, so that an alias made by `use` is as good as the name of a dependency.
    let default = || Ident::new("throughline", Span::call_site()).into();
    let krate = arguments.krate.clone().unwrap_or_else(default);
    // What is wrong with the types of a handler is told where the handler is.
    let service = match arguments.init {
        None => quote_spanned!(name.span()=> #name),
        Some(_) => quote_spanned!(name.span()=> |event| #name(event, &shared)),
    };
    let run =
        quote_spanned!(name.span()=> #krate::__lambda::run(#krate::__lambda::service_fn(#service)));
    let init = arguments
        .init
        .as_ref()
        .map(|init| quote_spanned!(init.span()=> let shared = #init().await?;));
    let (inside, beside) = match is_main {
        true => (Some(&handler), None),
        false => (None, Some(&handler)),
    };
    quote! {
        #beside
        #visible fn main() -> ::core::result::Result<(), #krate::__lambda::Error> {
            #inside
            #krate::__lambda::block_on(async {
                #init
                #krate::__lambda::listen();
                #run.await
            })
        }
    }
}

#[cfg(test)]
mod tests;
