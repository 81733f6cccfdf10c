//! AWS Lambda on one machine: no Docker, no AWS, no root.
//!
//! A sandbox runs functions as Lambda runs them. Each environment has real processes, its own Runtime, Extensions and
//! Telemetry API on a port of its own, and goes through Lambda's init, invoke and shutdown in Lambda's order: external
//! extensions register before the runtime starts, extensions hear of an invocation just before the function does,
//! everything is frozen between invocations and `platform.report` therefore comes late, a crash or a timeout resets
//! the environment and the next invocation pays for a new init. Unmodified runtime clients (`lambda_runtime`,
//! `awslambdaric`, `aws-lambda-ric`, `aws-lambda-go`, the client for Java), extensions and AWS SDKs run against it.
//!
//! Functions are reached in four ways: [`RunningSandbox::call`] from Rust, `Invoke` and `InvokeWithResponseStream` of
//! the AWS API (`POST /2015-03-31/functions/NAME/invocations` for the first), a function URL for each function that
//! has one, and routes of REST and HTTP APIs ([`HttpRoute`]). The AWS API also takes events for later, and tries those
//! again that fail. Schedules invoke functions by themselves ([`Schedule`]).
//!
//! # Types to know
//!
//! - [`Application`] and [`Function`]: what is run; the first is read from `throughline.toml` or an AWS SAM template.
//! - [`Sandbox`]: functions, extensions and settings, not yet started.
//! - [`RunningSandbox`]: calls functions, says where it listens, tells what happens ([`Activity`]), shuts down.
//! - [`Exchange`]: one call of a runtime or an extension on its APIs, for tests to read ([`Sandbox::record`],
//!   [`RunningSandbox::recorded`]). `docs/conformance.md` says row by row how these APIs compare with Lambda's.
//! - [`Answer`] is what the caller of a function gets; [`Finished`] is what Lambda's REPORT line says of it.
//!
//! # Example
//!
//! ```
//! use throughline_sandbox::{Function, Outcome, Sandbox};
//!
//! # use std::os::unix::fs::PermissionsExt;
//! # let folder = tempfile::tempdir()?;
//! # let bootstrap = folder.path().join("bootstrap");
//! # std::fs::write(&bootstrap, "#!/bin/sh\nexit 3\n")?;
//! # std::fs::set_permissions(&bootstrap, std::fs::Permissions::from_mode(0o755))?;
//! # let code = folder.path();
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let sandbox = Sandbox::new().function(Function::new("checkout", code)).start().await?;
//! // This function's program just exits, and the caller hears of it what Lambda's callers hear.
//! let answer = sandbox.invoke("checkout", r#"{"cart":7}"#).await?;
//! assert_eq!(answer.outcome, Outcome::FunctionError);
//! assert!(answer.text().contains("Runtime exited with error: exit status 3"));
//! sandbox.shutdown().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What differs from Lambda on purpose
//!
//! - An environment has a world of its own, as on Lambda, where the machine allows it ([`World`]): a loopback, `/var/task`,
//!   `/opt`, `/var/runtime` and `/tmp`. Everything else in its file system is the machine's, can be written, and includes
//!   what the machine has in `/opt`; what it has in `/tmp` is not seen. It reaches nothing but its [`Doors`], and not the
//!   internet: a door is made for the AWS API of the sandbox, for [`Sandbox::aws_endpoint`], for each [`Sandbox::door`] and
//!   for each loopback address in the variables, and the variables that processes get name the addresses inside. What is
//!   in `/tmp` is memory, and the machine's.
//! - Where it does not, environments share the machine's loopback and file system. Each gets a port for the OTLP receiver
//!   of its extension, told as `THROUGHLINE_OTLP_LISTEN` and `OTEL_EXPORTER_OTLP_ENDPOINT`, and a `TMPDIR` without a limit.
//!   `THROUGHLINE_SANDBOX_WORLD=shared` asks for this.
//! - `AWS_ENDPOINT_URL_LAMBDA` leads the SDKs back here.
//! - A function URL streams unless told ([`Function::url_streams`]); on Lambda it buffers unless told. A stream that
//!   fails after its head breaks off.
//! - An API's stage is told in events and is not part of the path. A REST API treats all media types as binary ones
//!   unless told ([`HttpApi::binary_media_types`]): bytes that are no text reach the function as base64, and come back as
//!   bytes. Authorizers are functions ([`Authorizer`]); tokens are not checked by the API itself. It tells well-known header names in
//!   capitals and others in lower case, where API Gateway tells them as they were sent.
//! - Throttled asynchronous invocations back off as on Lambda, but go on at once when an environment is free.
//! - Where control groups can be written, of version 1 or 2, they freeze an environment, limit its memory and, with
//!   [`Sandbox::cpu_share`], its share of a core; what it has in `/tmp` does not count. Elsewhere freezing is SIGSTOP to
//!   process groups, which a process that leaves its group escapes, and memory is looked at four times a second.
//!   Of version 2 the freezer was run on a real machine; its limits of memory and processor time only on files like its own.
//! - SnapStart copies no process: an environment is initialized, frozen at `restore/next`, and goes on with its first
//!   invocation as if restored. After a crash it is initialized anew.
//! - The interpreters are the machine's: the version that was asked for if it is installed, else another, which is said
//!   ([`Sandbox::on_notice`]). With a managed runtime comes its client, installed once ([`Sandbox::cache`]), Python's
//!   together with boto3; the SDK for JavaScript is for the code to bring. A client in the code or in a layer wins; Java's
//!   is always there.
//! - `PYTHONPATH`, `NODE_PATH`, `LD_LIBRARY_PATH` and `PATH` have the function's folders behind the machine's own.
//! - On Managed Instances ([`ManagedInstances`]) an environment that is missing starts with the invocation that needs it,
//!   which waits; on Lambda calls are throttled until there are more. An invocation that no worker takes within a second
//!   is throttled, and the last telemetry waits for the batch before it, where Lambda's own core would drop it.
//! - Provisioned environments are not replaced when a fault takes one away; more than were provisioned for start as they
//!   are needed. Code that changes ([`Sandbox::watch`]) renews all environments; files of interpreters, editors and logs
//!   (`__pycache__`, `*.log`, `*.tmp` and the like) are no change.
//! - `_LAMBDA_TELEMETRY_LOG_FD` is given to the managed runtimes only.
//! - Telemetry on a TCP destination that breaks goes on with the next connection; what the old one had taken and
//!   nobody read is lost without a count, since nothing acknowledges it.
//!
//! # Limits
//!
//! Lambda's: 6 MiB for a payload and for an answer, 200 MiB for a streamed answer and 2 MiB per second after its first
//! 6 MiB, 1 MiB for the payload of an asynchronous call, ten extensions, 10 s for the first init, 2 s for a shutdown,
//! six hours and three attempts for an asynchronous call ([`Sandbox::event_age_max`], [`Sandbox::event_retry_delays`]);
//! 250 MB for the layers of a function and for each zip file, and 100,000 entries; API Gateway's: 10 MiB for a request, 29 s for a REST API and 30 s for an HTTP API ([`Sandbox::integration_timeout`]).
//! The sandbox's own: ten environments a function unless told ([`Sandbox::concurrency`]) and 429 beyond; 1000
//! asynchronous calls a function that are not done with and 429 beyond; 16 chunks of a streamed answer that its caller
//! has not taken, and then the runtime waits; 1 MiB for the head of a streamed HTTP response; 8 MiB of log
//! lines waiting for a telemetry subscriber and 1 MiB for subscribers yet to come, five attempts to deliver an event,
//! and what is dropped is told in `platform.logsDropped`; 256 KiB for a line, longer ones come in pieces; 200 doors,
//! 512 open connections a door, beyond which they are dropped and counted ([`DoorTold`]), and 350 s in which nothing goes
//! through a connection ([`Sandbox::door_idle_timeout`]).
//!
//! # What it does not do
//!
//! - Log levels for lines that a function writes past its runtime's logger.
//! - By itself, anything that needs an endpoint of AWS or a broker of Kafka or RabbitMQ: the crate `throughline-sources` polls the
//!   sources of functions, and tells destinations that are no functions and dead-letter queues of each
//!   [`Activity::EventEnded`] ([`EventEnded::record`] is what they get). What was given up is counted
//!   ([`RunningSandbox::events_given_up`]); what waits at a shutdown is forgotten.
//! - Stopping loops of functions that invoke each other by their own code. Loops of destinations end after 16 hops.
//! - Versions and aliases.
//! - Any AWS API but `Invoke`, `InvokeWithResponseStream`, `GetFunction`, `GetFunctionConfiguration` and
//!   `ListFunctions`. Signatures are not checked, and whoever reaches a port of it runs code on this machine: it
//!   listens on loopback and nowhere else.
//!
//! # Inside
//!
//! `lifecycle` is the pure machine: events and the time in, effects out. `environment` is the loop that feeds it and
//! does what it says, in a place that `world` makes and with the ways out that `doors` opens. `telemetry_api` delivers,
//! `pool` keeps the environments of a function, `gateway` is the one way to a function, `events` holds what is invoked
//! asynchronously, `schedule` says when by itself, and `front` has the HTTP doors before it.

mod application;
mod body;
mod code;
mod control;
mod destination;
mod doors;
mod environment;
mod events;
mod faults;
mod front;
mod function;
mod gateway;
mod invoke;
mod lifecycle;
mod log_tail;
mod logging;
mod pool;
mod recording;
mod reload;
mod running;
mod sandbox;
mod schedule;
mod source;
mod telemetry_api;
mod time;
mod trace_header;
mod world;

pub use application::{Application, ApplicationError, Overrides, Problems};
pub use doors::{BadDoor, DoorState, DoorTold, Doors, UnknownDoor};
pub use faults::{Delivery, FAULT_NAMES, Fault, FaultError, FaultHandle, FaultTold, Victim};
pub use function::{
    Function, Initialization, MANAGED_MEMORY_MB_MIN, ManagedInstances, Runtime, UnknownRuntime,
};
pub use invoke::{
    Activity, Answer, EventEnd, EventEnded, FaultStruck, Finished, Invoke, InvokeError, Line,
    Outcome, Status,
};
pub use logging::{LogFormat, LogLevel, SystemLogLevel};
pub use recording::{Exchange, ExchangeAnswer, Who};
pub use running::{Invoker, RunningApi, RunningRoute, RunningSandbox, RunningSchedule};
pub use sandbox::{Sandbox, StartError};
pub use source::{
    Authorizer, AuthorizerEvent, Door, EventBridgeSource, EventDestinations, EventSource, HttpApi,
    HttpApiKind, HttpRoute, Identity, KafkaSource, RabbitMqSource, Resource, S3Source, Schedule,
    SnsSource, SqsSource, StartingPosition, StreamSource,
};
pub use time::UnixNanos;
pub use world::{World, WorldUsed};
