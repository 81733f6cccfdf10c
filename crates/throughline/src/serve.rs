//! `throughline serve`.

use anyhow::Context;
use throughline_server::{Addresses, Server};

use crate::cli::Serve;
use crate::settings::{ProcessEnvironment, RawSettings};
use crate::signals::Signals;
use crate::{logging, output};

pub(crate) fn run(arguments: Serve) -> anyhow::Result<()> {
    let raw = RawSettings::collect(&arguments, &ProcessEnvironment);
    if arguments.print_config {
        output::print(raw.to_string())?;
    }
    let settings = raw.resolve()?;
    if arguments.print_config {
        return Ok(());
    }
    logging::start(settings.log_format, "info");
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let actuation = settings.actions.actuation().await?;
        let starting = Server::bind(settings.server.with_actuation(actuation));
        let server = signals.unless_stopped(starting).await?;
        output::print(announcement(server.addresses(), arguments.json))?;
        server.run(signals.first()).await?;
        Ok(())
    })
}

fn announcement(addresses: Addresses, json: bool) -> String {
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
        format!("{addresses}\n")
    } else {
        format!(
            "page and API  http://{http}/\n\
             OTLP/HTTP     http://{otlp_http}\n\
             OTLP/gRPC     http://{otlp_grpc}\n"
        )
    }
}
