//! `throughline serve`.

use anyhow::Context;
use throughline_server::{Addresses, Server};

use crate::cli::Serve;
use crate::logging;
use crate::settings::{ProcessEnvironment, RawSettings};
use crate::signals::Signals;

pub(crate) fn run(arguments: Serve) -> anyhow::Result<()> {
    let raw = RawSettings::collect(&arguments, &ProcessEnvironment);
    if arguments.print_config {
        print!("{raw}");
    }
    let settings = raw.resolve()?;
    if arguments.print_config {
        return Ok(());
    }
    logging::start(settings.log_format, "info");
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    runtime.block_on(async {
        let signals = Signals::listen()?;
        let server = Server::bind(settings.server).await?;
        announce(server.addresses(), arguments.json);
        server.run(signals.first()).await?;
        Ok(())
    })
}

fn announce(addresses: Addresses, json: bool) {
    let Addresses {
        otlp_grpc,
        otlp_http,
        http,
    } = addresses;
    if json {
        let addresses = serde_json::json!({
            "otlp_grpc": otlp_grpc.to_string(),
            "otlp_http": otlp_http.to_string(),
            "http": http.to_string(),
        });
        println!("{addresses}");
    } else {
        println!("page and API  http://{http}/");
        println!("OTLP/HTTP     http://{otlp_http}");
        println!("OTLP/gRPC     http://{otlp_grpc}");
    }
}
