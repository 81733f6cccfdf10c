//! `throughline demo`: the server, the sandbox with the example application, and traffic.

mod traffic;

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, ensure};
use throughline_sandbox::{Application, RunningSandbox, Sandbox};
use throughline_server::{Addresses, Config, Listen, Retention, Server};
use tokio::sync::oneshot;

use crate::cli::{API_DEFAULT, Demo};
use crate::logging::{self, LogFormat};
use crate::settings::{self, ProcessEnvironment};
use crate::signals::Signals;
use traffic::Counts;

pub(crate) fn run(arguments: Demo) -> anyhow::Result<()> {
    logging::start(LogFormat::Text, "warn");
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    runtime.block_on(demo(arguments))
}

async fn demo(arguments: Demo) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    ensure!(
        arguments.app.exists(),
        "cannot find {}: the demo runs from the root of the checkout, or with --app FILE",
        arguments.app.display()
    );
    let application = Application::load(&arguments.app)?;
    let starting = Server::bind(server_config(&arguments)?);
    let server = signals.unless_stopped(starting).await?;
    let addresses = server.addresses();
    let (stop_server, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));

    let starting = start_sandbox(&arguments, application, addresses);
    let running = signals.unless_stopped(starting).await?;
    let checkout = running
        .url_addr(ENTRY)
        .with_context(|| format!("{} gives {ENTRY} no url", arguments.app.display()))?;
    announce(addresses, checkout, arguments.json)?;

    let counts = Arc::new(Counts::default());
    tokio::select! {
        () = load(checkout, arguments.rate, Arc::clone(&counts)) => {}
        () = progress(&counts, arguments.json) => {}
        () = signals.first() => {}
    }
    // The order matters: the extensions send what they still have while the server listens.
    eprintln!("\nstopping: the functions first, then the server");
    running.shutdown().await;
    let _ = stop_server.send(());
    serving.await.context("the server fell over")??;
    Ok(())
}

fn server_config(arguments: &Demo) -> anyhow::Result<Config> {
    let data_dir = match &arguments.data_dir {
        Some(folder) => folder.clone(),
        None => settings::data_home(&ProcessEnvironment)
            .map(|home| PathBuf::from(home).join("throughline-demo"))
            .context("no folder for the data: set --data-dir, or HOME")?,
    };
    let listen = if arguments.any_port {
        Listen::on_free_ports()
    } else {
        Listen::default()
    };
    let keep = settings::RETENTION_DEFAULT.parse()?;
    Ok(Config::try_new(data_dir, listen, None)?.with_retention(Retention::each(keep)))
}

async fn start_sandbox(
    arguments: &Demo,
    application: Application,
    server: Addresses,
) -> anyhow::Result<RunningSandbox> {
    let extension = std::env::current_exe()
        .context("cannot tell where this program lies")?
        .with_file_name("throughline-extension");
    ensure!(
        extension.exists(),
        "cannot find {}: build it with `make build`",
        extension.display()
    );
    let (application, api) = if arguments.any_port {
        (
            application.on_free_ports(),
            SocketAddr::from(([127, 0, 0, 1], 0)),
        )
    } else {
        (application, API_DEFAULT)
    };
    let missing = application
        .functions()
        .iter()
        .find(|function| !Path::new(function.code()).exists());
    if let Some(function) = missing {
        anyhow::bail!("{} is not built: run `make functions`", function.name());
    }
    let sandbox = Sandbox::new()
        .application(application)
        .extension(extension)
        .env(
            "THROUGHLINE_ENDPOINT",
            format!("http://{}", server.otlp_http),
        )
        .api(api);
    Ok(sandbox.start().await?)
}

fn announce(server: Addresses, checkout: SocketAddr, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        let addresses = serde_json::json!({
            "http": server.http.to_string(),
            "otlp_http": server.otlp_http.to_string(),
            "otlp_grpc": server.otlp_grpc.to_string(),
            "functions": { ENTRY: checkout.to_string() },
        });
        writeln!(out, "{addresses}")?;
    } else {
        writeln!(out, "\n  Throughline   http://{}/", server.http)?;
        writeln!(out, "  The shop      http://{checkout}/?order=7")?;
        writeln!(
            out,
            "                http://{checkout}/?order=7&fail=inventory"
        )?;
        writeln!(
            out,
            "  OTLP          http://{}  (gRPC {})",
            server.otlp_http, server.otlp_grpc
        )?;
        writeln!(out, "\n  Ctrl-C stops everything.\n")?;
    }
    out.flush()?;
    Ok(())
}

async fn load(checkout: SocketAddr, orders_a_minute: u32, counts: Arc<Counts>) {
    match Duration::from_secs(60).checked_div(orders_a_minute) {
        Some(every) => traffic::run(checkout, every, counts).await,
        None => std::future::pending().await,
    }
}

/// One line that counts along, where somebody looks at it.
async fn progress(counts: &Counts, json: bool) {
    if json || !std::io::stderr().is_terminal() {
        return std::future::pending().await;
    }
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        let [sent, failed, skipped] = [&counts.sent, &counts.failed, &counts.skipped]
            .map(|count| count.load(Ordering::Relaxed));
        let skipped = if skipped > 0 {
            format!(", {skipped} left out")
        } else {
            String::new()
        };
        eprint!("\r  {sent} orders, {failed} failed{skipped} ");
    }
}

/// The function that the shop's customers talk to.
const ENTRY: &str = "checkout";
