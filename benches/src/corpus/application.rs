//! The application whose telemetry it is: a hundred functions with their routes, the steps they
//! take, whom they call and what they log. Everything that is the same in every span of an operation
//! is encoded here, once.

mod logging;
mod steps;
mod words;

use super::proto;
use super::random::{Draw, Random, Spread};
use words::{ACCOUNT, DOMAINS, REGIONS, ROUTES, RUNTIMES};

pub(crate) use logging::{Line, Slot};
pub(crate) use steps::{Kind, Step};
pub(crate) use words::{AGENTS, EXCEPTIONS};

/// The field of a span, and of a resource, that holds its attributes.
pub(crate) const OF_SPAN: u8 = 0x4a;
pub(crate) const OF_RESOURCE: u8 = 0x0a;

/// What starts a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    Http,
    Queue,
    Bus,
    Stream,
    Timer,
}

/// Something that a function is asked for: a route, or a kind of event.
#[derive(Debug)]
pub(crate) struct Route {
    /// Name of the span.
    pub(crate) name: String,
    /// Encoded attributes.
    pub(crate) constant: Vec<u8>,
    /// What comes before and after the id in the path.
    pub(crate) path: Option<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) trigger: Trigger,
    /// The encoded attributes of the resource, without the name of the environment.
    pub(crate) resource: Vec<u8>,
    /// Encoded scopes: of the handler, of calls, of the function's own code.
    pub(crate) scopes: [Vec<u8>; 3],
    pub(crate) environments: u64,
    pub(crate) routes: Vec<Route>,
    pub(crate) route: Draw,
    pub(crate) steps: Vec<Step>,
    pub(crate) step: Draw,
    /// Steps that call a function and wait, and that publish something.
    pub(crate) invoke: Step,
    pub(crate) publish: Step,
    pub(crate) init: Step,
    /// Functions that it calls, and that work on what it publishes, by number.
    pub(crate) callees: Vec<u16>,
    pub(crate) consumers: Vec<u16>,
    /// Median of its own time, in nanoseconds.
    pub(crate) median_nanos: f64,
    /// Failing invocations of a thousand.
    pub(crate) failing: u64,
    /// Whether its SDK tells the ids that AWS gives to calls.
    pub(crate) request_ids: bool,
    /// Whether its spans say whose request it is.
    pub(crate) baggage: bool,
    pub(crate) lines: Vec<Line>,
    pub(crate) line: Draw,
    /// Encoded attributes of every log record.
    pub(crate) logger: Vec<u8>,
    pub(crate) logger_scope: Vec<u8>,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) functions: Vec<Function>,
    /// Functions that traces begin at, by number.
    entrances: Vec<u16>,
    entrance: Draw,
    pub(crate) spread: Spread,
}

impl Application {
    pub(crate) fn build(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let region = Draw::new(&REGIONS.map(|(_, share)| share));
        let mut functions = Vec::new();
        for (rank, domain) in DOMAINS.iter().enumerate() {
            for (role, trigger) in ROLES {
                let at = REGIONS[region.draw(&mut random)].0;
                functions.push(function(domain, role, trigger, rank, at, &mut random));
            }
        }
        for number in 0..functions.len() {
            let (callees, consumers) = neighbours(number, &functions, &mut random);
            functions[number].callees = callees;
            functions[number].consumers = consumers;
        }
        let entrances = (0..functions.len())
            .filter(|number| functions[*number].is_entrance())
            .map(|number| number as u16)
            .collect::<Vec<_>>();
        let entrance = Draw::skewed(entrances.len());
        Application {
            functions,
            entrances,
            entrance,
            spread: Spread::new(),
        }
    }

    /// Where a trace begins.
    pub(crate) fn entrance(&self, random: &mut Random) -> u16 {
        self.entrances[self.entrance.draw(random)]
    }
}

impl Function {
    fn is_entrance(&self) -> bool {
        matches!(self.trigger, Trigger::Http | Trigger::Timer | Trigger::Bus)
    }
}

/// Functions that are called: of other domains, by HTTP. Functions that consume: workers and streams,
/// of the own domain first.
fn neighbours(number: usize, functions: &[Function], random: &mut Random) -> (Vec<u16>, Vec<u16>) {
    let of = |wanted: &dyn Fn(Trigger) -> bool| {
        (0..functions.len())
            .filter(|other| *other != number && wanted(functions[*other].trigger))
            .map(|other| other as u16)
            .collect::<Vec<_>>()
    };
    let http = of(&|trigger| trigger == Trigger::Http);
    let queues = of(&|trigger| !matches!(trigger, Trigger::Http | Trigger::Timer));
    let mut some = |from: &[u16], count: usize| {
        (0..count)
            .map(|_| from[random.skewed(from.len() as u64) as usize])
            .collect::<Vec<u16>>()
    };
    (some(&http, 4), some(&queues, 4))
}

fn function(
    domain: &str,
    role: &str,
    trigger: Trigger,
    rank: usize,
    region: &str,
    random: &mut Random,
) -> Function {
    let name = format!("{domain}-{role}");
    let runtime = RUNTIMES[random.skewed(RUNTIMES.len() as u64) as usize];
    let arn = format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{name}");
    let routes = routes(domain, &name, trigger, &arn, region);
    let steps = steps::steps(domain, region, random);
    let weights: Vec<f64> = steps.iter().map(|step| step.weight).collect();
    let lines = logging::lines(domain, rank);
    Function {
        resource: resource(&name, &arn, region, runtime, random),
        scopes: [
            scope(runtime[4], runtime[2]),
            scope(runtime[3], runtime[2]),
            scope(&format!("{domain}.service"), "1.0.0"),
        ],
        environments: 1 + 120 / (rank as u64 + 1),
        route: Draw::skewed(routes.len()),
        routes,
        step: Draw::new(&weights),
        steps,
        invoke: steps::invoke(domain, region),
        publish: steps::publish(domain, region),
        init: steps::init(runtime[0]),
        callees: Vec::new(),
        consumers: Vec::new(),
        median_nanos: 1e6 * (15 + random.below(120)) as f64,
        failing: 4 + random.skewed(60),
        request_ids: matches!(runtime[1], "nodejs" | "python"),
        baggage: random.per_mille(700),
        line: Draw::skewed(lines.len()),
        lines,
        logger: logger(domain, role),
        logger_scope: scope(&format!("{domain}.{role}"), ""),
        name,
        trigger,
    }
}

fn scope(name: &str, version: &str) -> Vec<u8> {
    let mut out = Vec::new();
    proto::bytes(&mut out, 0x0a, name.as_bytes());
    if !version.is_empty() {
        proto::bytes(&mut out, 0x12, version.as_bytes());
    }
    out
}

fn resource(
    name: &str,
    arn: &str,
    region: &str,
    runtime: [&str; 5],
    random: &mut Random,
) -> Vec<u8> {
    let version = format!(
        "{}.{}.{}",
        1 + random.below(4),
        random.below(30),
        random.below(9)
    );
    let memory = 128 << random.below(5);
    let mut out = Vec::new();
    let mut text = |key: &str, value: &str| {
        proto::text(&mut out, OF_RESOURCE, key, value.as_bytes());
    };
    text("service.name", name);
    text("service.version", &version);
    text("service.namespace", "shop");
    text("deployment.environment.name", "production");
    text("cloud.provider", "aws");
    text("cloud.platform", "aws_lambda");
    text("cloud.region", region);
    text("cloud.account.id", ACCOUNT);
    text("cloud.resource_id", arn);
    text("faas.name", name);
    text("faas.version", "$LATEST");
    text("aws.log.group.names", &format!("/aws/lambda/{name}"));
    text("host.arch", "arm64");
    text("process.runtime.name", runtime[0]);
    text("telemetry.sdk.language", runtime[1]);
    text("telemetry.sdk.name", "opentelemetry");
    text("telemetry.sdk.version", runtime[2]);
    proto::int(&mut out, OF_RESOURCE, "faas.max_memory", memory << 20);
    out
}

fn logger(domain: &str, role: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let file = format!("src/{domain}/{role}.ts");
    // A log record holds its attributes in its field 6.
    proto::text(&mut out, OF_LOG, "code.file.path", file.as_bytes());
    proto::text(&mut out, OF_LOG, "log.iostream", b"stdout");
    out
}

fn routes(domain: &str, name: &str, trigger: Trigger, arn: &str, region: &str) -> Vec<Route> {
    let base = |out: &mut Vec<u8>, trigger: &str| {
        proto::text(out, OF_SPAN, "faas.trigger", trigger.as_bytes());
        proto::text(out, OF_SPAN, "aws.lambda.invoked_arn", arn.as_bytes());
        proto::text(out, OF_SPAN, "cloud.account.id", ACCOUNT.as_bytes());
        proto::text(out, OF_SPAN, "faas.invoked_name", name.as_bytes());
    };
    let events = |system: &str, kind: &str, destination: &str| {
        let mut constant = Vec::new();
        base(&mut constant, kind);
        let mut text = |key: &str, value: &str| {
            proto::text(&mut constant, OF_SPAN, key, value.as_bytes());
        };
        text("messaging.system", system);
        text("messaging.destination.name", destination);
        text("messaging.operation.type", "process");
        text("messaging.operation.name", "process");
        text("messaging.consumer.group.name", name);
        vec![Route {
            name: format!("process {destination}"),
            constant,
            path: None,
        }]
    };
    match trigger {
        Trigger::Http => {
            let host = format!("api.shop.example.com.{region}.on.aws");
            ROUTES
                .map(|(method, route)| http_route(domain, method, route, &host, base))
                .into()
        }
        Trigger::Queue => events("aws_sqs", "pubsub", &format!("{domain}-jobs")),
        Trigger::Bus => events("aws_eventbridge", "pubsub", &format!("{domain}.changed")),
        Trigger::Stream => events("aws_kinesis", "datasource", &format!("{domain}-stream")),
        Trigger::Timer => {
            let mut constant = Vec::new();
            base(&mut constant, "timer");
            proto::text(&mut constant, OF_SPAN, "faas.cron", b"rate(5 minutes)");
            proto::text(&mut constant, OF_SPAN, "aws.scheduler.group", b"default");
            vec![Route {
                name: name.to_owned(),
                constant,
                path: None,
            }]
        }
    }
}

fn http_route(
    domain: &str,
    method: &str,
    route: &str,
    host: &str,
    base: impl Fn(&mut Vec<u8>, &str),
) -> Route {
    let filled = route.replace("{}", domain);
    let mut constant = Vec::new();
    base(&mut constant, "http");
    let mut text = |key: &str, value: &str| {
        proto::text(&mut constant, OF_SPAN, key, value.as_bytes());
    };
    text("http.request.method", method);
    text("http.route", &filled);
    text("url.scheme", "https");
    text("server.address", host);
    text("network.protocol.version", "1.1");
    let (before, after) = filled.split_once("{id}").unwrap_or((&filled, ""));
    Route {
        name: format!("{method} {filled}"),
        path: Some((before.to_owned(), after.to_owned())),
        constant,
    }
}

pub(crate) const OF_LOG: u8 = 0x32;

const ROLES: [(&str, Trigger); 5] = [
    ("api", Trigger::Http),
    ("worker", Trigger::Queue),
    ("events", Trigger::Bus),
    ("projector", Trigger::Stream),
    ("sweeper", Trigger::Timer),
];
