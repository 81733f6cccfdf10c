//! The application that the sandbox runs: for each language a function that sends and one that gets.

use std::fmt::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::media::LANGUAGES;
use crate::redrive::{ATTEMPTS, arn};
use crate::replay::KEPT;
use crate::world::RABBITMQ;

/// Where the functions find each other.
pub(crate) struct Places {
    /// Function URLs of those that get.
    pub(crate) urls: [(&'static str, String); 3],
    pub(crate) api: String,
    pub(crate) kafka: Option<String>,
    /// Other servers: name, variable, address.
    pub(crate) served: Vec<(&'static str, &'static str, String)>,
    /// Whether there shall be the crowd's queue and topic alone, or all others.
    pub(crate) crowd: bool,
}

/// Writes all files of the application.
pub(crate) fn write(folder: &Path, packages: &Path, places: &Places) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/propagation");
    for language in LANGUAGES {
        std::fs::create_dir(folder.join(language)).unwrap();
    }
    let into = |file: &str| folder.join(file);
    std::fs::copy(here.join("node/index.mjs"), into("node/index.mjs")).unwrap();
    symlink(packages.join("node_modules"), into("node/node_modules")).unwrap();
    std::fs::copy(here.join("python/app.py"), into("python/app.py")).unwrap();
    symlink(packages.join(".venv"), into("python/.venv")).unwrap();
    let own = std::env::current_exe().unwrap();
    std::fs::hard_link(&own, into("rust/bootstrap"))
        .or_else(|_| std::fs::copy(&own, into("rust/bootstrap")).map(drop))
        .unwrap();
    for (language, part) in [("node", "nodejs"), ("python", "python")] {
        let layer = here.join("../../../../layers").join(language);
        let to = into(&format!("layer-{language}"));
        std::fs::create_dir(&to).unwrap();
        std::fs::copy(layer.join("throughline"), to.join("throughline")).unwrap();
        copy(&layer.join(part), &to.join(part));
    }
    let mut text = String::new();
    for language in LANGUAGES {
        function(&mut text, language, "from", places);
        function(&mut text, language, "to", places);
        sources(&mut text, language, places);
    }
    resources(&mut text);
    let _ = write!(text, "[apis.api]\nlisten = \"{}\"\n", places.api);
    std::fs::write(into("throughline.toml"), text).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(std::fs::copy(from, to).unwrap()),
        }
    }
}

fn function(text: &mut String, language: &str, role: &str, places: &Places) {
    let (runtime, handler) = match language {
        "node" => ("nodejs22.x", "index.handler"),
        "python" => ("python3.13", "app.handler"),
        _ => ("provided.al2023", "bootstrap"),
    };
    let _ = write!(
        text,
        "[functions.{role}-{language}]\nruntime = \"{runtime}\"\nhandler = \"{handler}\"\ncode = \"{language}\"\n\
         memory_mb = 1769\ntimeout_seconds = 60\nconcurrency = {}\n",
        if places.crowd { CROWD_ENVIRONMENTS } else { 10 }
    );
    if language != "rust" {
        let _ = writeln!(text, "layers = [\"layer-{language}\"]");
    }
    let url = |language: &str| {
        let known = places.urls.iter().find(|(known, _)| *known == language);
        known
            .map(|(_, address)| address.clone())
            .unwrap_or_default()
    };
    if role == "to" {
        let _ = writeln!(text, "url = \"{}\"", url(language));
    }
    let _ = writeln!(
        text,
        "[functions.{role}-{language}.environment]\nSECRET = \"{SECRET}\""
    );
    if language != "rust" {
        let _ = writeln!(text, "AWS_LAMBDA_EXEC_WRAPPER = \"/opt/throughline\"");
    }
    if role == "from" {
        let urls = LANGUAGES.map(|language| format!("\"{language}\":\"http://{}\"", url(language)));
        let kafka = places.kafka.as_deref().unwrap_or_default();
        let _ = writeln!(
            text,
            "FUNCTION_URLS = '{{{}}}'\nAPI = \"http://{}\"\nKAFKA = \"{kafka}\"",
            urls.join(","),
            places.api
        );
        for (_, variable, address) in &places.served {
            let _ = writeln!(text, "{variable} = \"{address}\"");
        }
    }
}

fn sources(text: &mut String, language: &str, places: &Places) {
    let mut source = |lines: &str| {
        let _ = writeln!(text, "[[functions.to-{language}.sources]]\n{lines}");
    };
    source(&format!("http = \"GET /to-{language}/{{cell}}\""));
    if places.crowd {
        return match language {
            "node" => source("sqs = \"crowd\"\nwindow_seconds = 1"),
            "python" => source("sns = \"crowd\""),
            _ => {}
        };
    }
    for queue in ["one", "sns", "bus", "poison"] {
        source(&format!("sqs = \"{queue}-{language}\"\nbatch_size = 1"));
    }
    for from in LANGUAGES {
        source(&format!(
            "sqs = \"ten-{from}-{language}\"\nwindow_seconds = 1"
        ));
    }
    source("sns = \"told\"");
    source(&format!(
        "event_bridge = \"default\"\nrule = \"told-{language}\"\npattern = {{ source = [\"told\"] }}"
    ));
    source(&format!(
        "event_bridge = \"{KEPT}\"\nrule = \"kept-{language}\"\npattern = {{ source = [\"{KEPT}\"] }}"
    ));
    source("kinesis = \"stream\"\nbatch_size = 1");
    source("dynamodb = \"table\"\nbatch_size = 1");
    source(&format!("s3 = \"bucket\"\nprefix = \"{language}/\""));
    if let Some(kafka) = &places.kafka {
        source(&format!(
            "kafka = \"topic\"\nbrokers = [\"{kafka}\"]\nbatch_size = 1"
        ));
    }
    for (name, _, address) in &places.served {
        if *name == RABBITMQ {
            source(&format!(
                "rabbitmq = \"cells-{language}\"\nbroker = \"{address}\"\nbatch_size = 1"
            ));
        }
    }
}

fn resources(text: &mut String) {
    let mut resource = |name: &str, kind: &str, lines: &str| {
        let _ = writeln!(text, "[resources.{name}]\ntype = \"AWS::{kind}\"\n{lines}");
    };
    for language in LANGUAGES {
        let dead = format!("undeliverable-{language}");
        resource(&dead, "SQS::Queue", "");
        let policy = format!(
            "VisibilityTimeout = 5\n\
             RedrivePolicy = {{ deadLetterTargetArn = \"{}\", maxReceiveCount = {ATTEMPTS} }}",
            arn(&dead)
        );
        resource(&format!("poison-{language}"), "SQS::Queue", &policy);
        for queue in ["one", "sns", "bus", "ten-node", "ten-python", "ten-rust"] {
            resource(&format!("{queue}-{language}"), "SQS::Queue", "");
        }
    }
    let crowd = format!("QueueName = \"crowd\"\nDelaySeconds = {CROWD_DELAY_SECONDS}");
    resource("crowd-queue", "SQS::Queue", &crowd);
    resource("crowd-topic", "SNS::Topic", "TopicName = \"crowd\"");
    resource("told", "SNS::Topic", "");
    let subscriptions = LANGUAGES.map(|to| {
        format!(
            "{{ Protocol = \"sqs\", Endpoint = \"{}\" }}",
            arn(&format!("sns-{to}"))
        )
    });
    resource(
        "queued",
        "SNS::Topic",
        &format!("Subscription = [{}]", subscriptions.join(", ")),
    );
    let targets = LANGUAGES.map(|to| {
        let queue = arn(&format!("bus-{to}"));
        format!("{{ Id = \"{to}\", Arn = \"{queue}\" }}")
    });
    let rule = format!(
        "EventPattern = {{ source = [\"queued\"] }}\nTargets = [{}]",
        targets.join(", ")
    );
    resource("to-queues", "Events::Rule", &rule);
    resource("stream", "Kinesis::Stream", "ShardCount = 1");
    resource("bucket", "S3::Bucket", "");
    resource(
        "table",
        "DynamoDB::Table",
        "BillingMode = \"PAY_PER_REQUEST\"\n\
         KeySchema = [{ AttributeName = \"id\", KeyType = \"HASH\" }]\n\
         AttributeDefinitions = [{ AttributeName = \"id\", AttributeType = \"S\" }]\n\
         StreamSpecification = { StreamViewType = \"NEW_AND_OLD_IMAGES\" }",
    );
}

/// In an environment variable, a header and a log line of each function that sends. Shaped as a key of a payment service.
pub(crate) const SECRET: &str = "sk_live_51PlantedAndToBeFoundNowhere00";
/// A function of the crowd has so many, since on a small machine more of them hinder each other.
const CROWD_ENVIRONMENTS: usize = 4;
/// How long the crowd's queue keeps a message back: longer than it takes to begin all actions.
const CROWD_DELAY_SECONDS: u32 = 5;
