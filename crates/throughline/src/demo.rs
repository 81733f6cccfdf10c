//! `throughline demo`: the server, the sandbox with an example application, what is outside of it, and its users.

mod announcement;
mod clicks;
mod commit;
mod outside;
mod queues;
mod traffic;

use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::ValueEnum;
use throughline_sandbox::{Application, Overrides, RunningSandbox, Sandbox};
use throughline_server::{Actuation, Addresses, Config, Listen, Retention, Server};
use throughline_sources::{Endpoint, RunningSources, Sources};
use tokio::sync::oneshot;

use crate::actuator;
use crate::cli::{API_DEFAULT, Demo, DemoActions, Example};
use crate::logging::{self, LogFormat};
use crate::settings::{self, ProcessEnvironment};
use crate::signals::Signals;
use announcement::{Shown, announce};
use commit::commit_of;
use outside::Player;
use traffic::Traffic;

pub(crate) fn run(arguments: Demo) -> anyhow::Result<()> {
    logging::start(LogFormat::Text, LOGGED);
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    runtime.block_on(demo(arguments))
}

async fn demo(arguments: Demo) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let data_dir = data_dir(&arguments)?;
    let file = application_file(&arguments)?;
    let outside = match arguments.example {
        Example::Checkout => {
            ensure!(
                arguments.actions == DemoActions::Off,
                "cannot act on {}: it has no account, so leave --actions away",
                file.display()
            );
            None
        }
        Example::BigMouth => {
            progress(
                &arguments,
                "starting AWS (moto), a payment provider and a mail server",
            );
            let starting = start_outside(&file, &arguments);
            Some(signals.unless_stopped(starting).await?)
        }
    };
    let application = load(&file, outside.as_ref())?;

    let config = server_config(&arguments, data_dir.clone())?;
    let config = config.with_actuation(actuation(&arguments, outside.as_ref())?);
    let starting = Server::bind(config);
    let server = signals.unless_stopped(starting).await?;
    let addresses = server.addresses();
    let (stop_server, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));

    progress(&arguments, "starting the functions and their sources");
    let commit = commit_of(folder_of(&file)).await;
    let starting = start_sandbox(&arguments, application, addresses, outside.as_ref(), commit);
    let (running, sources) = signals.unless_stopped(starting).await?;
    let telling = sources.queues().map(|queues| {
        let metrics_url = format!("http://{}/v1/metrics", addresses.otlp_http);
        tokio::spawn(queues::tell(queues, metrics_url))
    });
    let ground_truth = data_dir.join("ground-truth.jsonl");
    let mut traffic = match &outside {
        None => {
            let checkout = running
                .url_addr(ENTRY)
                .with_context(|| format!("{} gives {ENTRY} no url", file.display()))?;
            announce(&addresses, &Shown::Checkout(checkout), arguments.json)?;
            let rate = arguments.rate;
            Traffic::Clicks { checkout, rate }
        }
        Some(outside) => {
            let shop = running.apis().first();
            let shop = shop.with_context(|| format!("{} has no API", file.display()))?;
            let told = traffic::arguments(
                &arguments.users,
                arguments.rate,
                &shop.url,
                &outside.addresses,
                &ground_truth,
            );
            progress(&arguments, "filling the tables");
            let mut users = Player::start(folder_of(&file), "traffic", told)?;
            // Its first line says that the tables are filled.
            signals.unless_stopped(users.line()).await?;
            let shown = Shown::BigMouth {
                shop: &shop.url,
                outside: &outside.addresses,
                ground_truth: &ground_truth,
            };
            announce(&addresses, &shown, arguments.json)?;
            Traffic::Users(Box::new(users))
        }
    };

    let show = !arguments.json && std::io::stderr().is_terminal();
    let ended = tokio::select! {
        ended = traffic.run(show) => ended,
        () = signals.first() => Ok(()),
    };
    // The order matters: the extensions send what they still have while the server listens.
    eprintln!("\nstopping: the users and the functions first, then the server");
    traffic.stop().await;
    if let Some(telling) = telling {
        telling.abort();
    }
    sources.shutdown().await;
    running.shutdown().await;
    let _ = stop_server.send(());
    serving.await.context("the server fell over")??;
    if let Some(outside) = outside {
        outside.player.stop().await;
    }
    ended
}

fn progress(arguments: &Demo, what: &str) {
    if !arguments.json {
        eprintln!("  {what}");
    }
}

fn application_file(arguments: &Demo) -> anyhow::Result<PathBuf> {
    let file = arguments.app.clone().unwrap_or_else(|| {
        let name = arguments.example.to_possible_value();
        let name = name.map(|name| name.get_name().to_owned());
        Path::new("examples")
            .join(name.unwrap_or_default())
            .join("throughline.toml")
    });
    ensure!(
        file.exists(),
        "cannot find {}: the demo runs from the root of the checkout, or with --app FILE",
        file.display()
    );
    Ok(file)
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("."))
}

/// What is outside of big-mouth.
struct Outside {
    player: Player,
    addresses: outside::Addresses,
}

async fn start_outside(file: &Path, arguments: &Demo) -> anyhow::Result<Outside> {
    let told = [
        (arguments.any_port, "--any-port"),
        // What actions look at and change.
        (arguments.actions == DemoActions::Local, "--functions"),
    ];
    let told = told.into_iter().filter(|(is_wanted, _)| *is_wanted);
    let told = told.map(|(_, flag)| flag.to_owned());
    let mut player = Player::start(folder_of(file), "outside", told)?;
    let addresses = outside::Addresses::of(&player.line().await?)?;
    Ok(Outside { player, addresses })
}

/// Who acts: in the account that is outside, if anybody; never with what the environment says of another.
fn actuation(arguments: &Demo, outside: Option<&Outside>) -> anyhow::Result<Actuation> {
    match (arguments.actions, outside) {
        (DemoActions::Local, Some(outside)) => actuator::beside(&outside.addresses.aws),
        (DemoActions::Off, _) | (DemoActions::Local, None) => Ok(Actuation::default()),
    }
}

fn load(file: &Path, outside: Option<&Outside>) -> anyhow::Result<Application> {
    let overrides = Overrides {
        aws_endpoint: outside.map(|outside| outside.addresses.aws.clone()),
        ..Overrides::default()
    };
    let application = Application::load_with(file, &overrides)?;
    let missing = application
        .functions()
        .iter()
        .find(|function| !Path::new(function.code()).exists());
    match missing {
        Some(function) => anyhow::bail!("{} is not built: run `make functions`", function.name()),
        None => Ok(application),
    }
}

fn data_dir(arguments: &Demo) -> anyhow::Result<PathBuf> {
    match &arguments.data_dir {
        Some(folder) => Ok(folder.clone()),
        None => settings::data_home(&ProcessEnvironment)
            .map(|home| PathBuf::from(home).join("throughline-demo"))
            .context("no folder for the data: set --data-dir, or HOME"),
    }
}

fn server_config(arguments: &Demo, data_dir: PathBuf) -> anyhow::Result<Config> {
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
    outside: Option<&Outside>,
    commit: Option<String>,
) -> anyhow::Result<(RunningSandbox, RunningSources)> {
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
    let resources = application.resources().to_vec();
    let mut endpoint = None;
    let mut sandbox = Sandbox::new()
        .application(application)
        .extension(extension)
        .env(
            "THROUGHLINE_ENDPOINT",
            format!("http://{}", server.otlp_http),
        )
        .watch(true)
        .on_notice(|notice| eprintln!("  {notice}"))
        .api(api);
    if let Some(commit) = commit {
        // So that links to the code lead to what runs.
        let attributes = format!("vcs.ref.head.revision={commit}");
        sandbox = sandbox.env("OTEL_RESOURCE_ATTRIBUTES", attributes);
    }
    if let Some(Outside { addresses, .. }) = outside {
        endpoint = Some(addresses.aws.parse::<Endpoint>()?);
        sandbox = sandbox
            .aws_endpoint(&addresses.aws)
            .env("PAY_URL", &addresses.pay)
            .env("SMTP_URL", &addresses.smtp);
        if outside::listens(REDIS).await {
            sandbox = sandbox.env("REDIS_URL", format!("redis://{REDIS}"));
        }
    }
    let running = sandbox.start().await?;
    let starting = Sources::new(running.invoker(), running.activity())
        .endpoint(endpoint)
        .resources(resources)
        .start();
    match starting.await {
        Ok(sources) => Ok((running, sources)),
        Err(error) => {
            running.shutdown().await;
            Err(error.into())
        }
    }
}

/// What functions do wrong is shown on the page, and is not the demo's own trouble.
const LOGGED: &str = "warn,throughline_sandbox=error,throughline_sources=error";
/// Where a Redis would be; big-mouth caches there if one is.
const REDIS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 6379);
/// The function that the customers of the small example talk to.
const ENTRY: &str = "checkout";
