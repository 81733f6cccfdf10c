//! Functions: `AWS::Serverless::Function` and `AWS::Lambda::Function`, which share most properties.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use super::Translator;
use super::names::{function_name, is_function};
use super::template::Declared;
use crate::application::reader::{Key, Section, place_of};
use crate::application::resource::{Kind, QUEUE, TOPIC};
use crate::function::{Function, Initialization, Runtime};
use crate::source::EventDestinations;

impl<'t> Translator<'t> {
    pub(super) fn function(&mut self, declared: &'t Declared) {
        self.unknown_properties(declared, USED, UNHEEDED);
        let properties = self.properties(declared, USED);
        let section = Section {
            place: declared.properties_place(),
            map: &properties,
        };
        let image = properties.get("PackageType").and_then(Value::as_str) == Some("Image");
        let runtime = match image {
            true => None,
            false => self.reader.runtime(&section),
        };
        let code = self.code(declared, &properties, runtime.as_ref());
        let name = self.name_of(declared);
        let mut function = Function::new(name.clone(), code.unwrap_or_default());
        if let Some(runtime) = runtime {
            function.handler = self.reader.handler(&section, &runtime);
            self.architectures(&section, &runtime);
            function.runtime = runtime;
        }
        self.reader.sizes(&section, &mut function);
        self.initialization(&section, &mut function);
        self.reader.managed_instances(&section, &mut function);
        self.layers_of(&section, &mut function);
        let expected = "a map with Variables";
        if let Some(environment) = self.reader.section(&section, ENVIRONMENT, expected) {
            let expected = "a map of variables";
            if let Some(variables) = self.reader.section(&environment, VARIABLES, expected) {
                self.reader.variables(&variables, &mut function);
            }
        }
        if let Some(logging) = self.reader.section(&section, LOGGING, "a map") {
            self.reader.logging(&logging, &mut function);
        }
        if let Some(url) = self.reader.section(&section, URL, "a map") {
            function.url = self.url_of(&declared.name);
            self.invoke_mode(&url, &mut function);
        }
        if let Some(config) = self.reader.section(&section, EVENT_INVOKE, "a map") {
            self.asynchronous(declared, &config, &mut function);
        }
        function.destinations.dead_letter = self.dead_letter(&section);
        if let Some(events) = declared.properties.get("Events") {
            self.events(declared, events, &mut function);
        }
        if self.functions.contains_key(&name) {
            self.reader
                .problem(&section.place, &format!("another function is named {name}"));
        }
        self.functions.insert(name, function);
    }

    /// The function that a property names, by its name or its ARN.
    pub(super) fn function_named(&mut self, place: &str, text: &str) -> Option<&mut Function> {
        let name = function_name(text);
        if !self.functions.contains_key(&name) {
            self.reader
                .problem(place, &format!("no function {name} in this template"));
        }
        self.functions.get_mut(&name)
    }

    /// `AWS::Lambda::Url`.
    pub(super) fn url(&mut self, declared: &'t Declared) {
        let properties =
            self.properties(declared, &["TargetFunctionArn", "AuthType", "InvokeMode"]);
        let section = Section {
            place: declared.properties_place(),
            map: &properties,
        };
        let Some(target) = self.reader.string(&section, Key::only("TargetFunctionArn")) else {
            return;
        };
        let listen = self.url_of(&declared.name);
        let place = section.place.clone();
        let Some(function) = self.function_named(&place, &target) else {
            return;
        };
        let mut changed = function.clone();
        changed.url = listen;
        self.invoke_mode(&section, &mut changed);
        self.functions.insert(changed.name.clone(), changed);
    }

    /// `AWS::Lambda::EventInvokeConfig`.
    pub(super) fn invoke_config(&mut self, declared: &'t Declared) {
        let used = [
            "FunctionName",
            "MaximumEventAgeInSeconds",
            "MaximumRetryAttempts",
            "DestinationConfig",
        ];
        let properties = self.properties(declared, &used);
        let section = Section {
            place: declared.properties_place(),
            map: &properties,
        };
        let Some(target) = self.reader.string(&section, Key::only("FunctionName")) else {
            return;
        };
        if let Some(function) = self.function_named(&section.place, &target) {
            let mut changed = function.clone();
            self.asynchronous(declared, &section, &mut changed);
            self.functions.insert(changed.name.clone(), changed);
        }
    }

    /// Where the URL of a function listens: ports in the order of the names in the template, so that they stay.
    pub(super) fn url_of(&self, name: &str) -> Option<SocketAddr> {
        let has_url = |declared: &&Declared| {
            declared.kind == "AWS::Lambda::Url"
                || is_function(&declared.kind) && declared.properties.contains_key(URL.sam)
        };
        let index = self
            .template
            .resources
            .values()
            .filter(has_url)
            .position(|declared| declared.name == name)?;
        let port = URL_PORT_FIRST.checked_add(u16::try_from(index).ok()?)?;
        Some(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    fn invoke_mode(&mut self, url: &Section<'_>, function: &mut Function) {
        let modes = [("BUFFERED", false), ("RESPONSE_STREAM", true)];
        let mode = self.reader.choice(url, Key::only("InvokeMode"), &modes);
        function.url_streams = mode.unwrap_or(false);
        if url.map.get("AuthType").and_then(Value::as_str) == Some("AWS_IAM") {
            self.note(&url.place_of("AuthType"), "signatures are not checked here");
        }
    }

    fn architectures(&mut self, section: &Section<'_>, runtime: &Runtime) {
        let key = Key::only("Architectures");
        let wanted = self.reader.strings(section, key).unwrap_or_default();
        let here = match std::env::consts::ARCH {
            "aarch64" => "arm64",
            other => other,
        };
        let other = wanted.iter().find(|wanted| *wanted != here);
        if let (Some(other), false) = (other, runtime.is_managed()) {
            let note = format!(
                "is {other}, and this machine {here}: the bootstrap must be built for this machine"
            );
            self.note(&section.place_of(key.sam), &note);
        }
    }

    fn initialization(&mut self, section: &Section<'_>, function: &mut Function) {
        let snap_start = self
            .reader
            .section(section, SNAP_START, "a map with ApplyOn");
        let applies = [("PublishedVersions", true), ("None", false)];
        let snap_start = snap_start
            .and_then(|config| self.reader.choice(&config, Key::only("ApplyOn"), &applies));
        if snap_start == Some(true) {
            self.reader
                .snap_start(&section.place_of(SNAP_START.sam), function);
            function.initialization = Initialization::SnapStart;
        }
        let Some(config) = self.reader.section(section, PROVISIONED, "a map") else {
            return;
        };
        let key = Key::only("ProvisionedConcurrentExecutions");
        let environments = crate::application::function::ENVIRONMENTS;
        let number = self.reader.integer(&config, key, environments);
        match number.and_then(|number| usize::try_from(number).ok()) {
            Some(_) if snap_start == Some(true) => {
                let message = "not together with SnapStart, as on Lambda";
                self.reader.problem(&config.place, message);
            }
            Some(number) if number > 0 => {
                function.initialization = Initialization::Provisioned(number);
            }
            _ => {}
        }
    }

    fn layers_of(&mut self, section: &Section<'_>, function: &mut Function) {
        let key = Key::only("Layers");
        let arns = self.reader.strings(section, key).unwrap_or_default();
        let place = section.place_of(key.sam);
        self.reader.layer_count(&place, arns.len());
        for arn in arns {
            match self.layers.get(&arn) {
                Some(path) => function.layers.push(path.clone()),
                None => {
                    let note = format!("{arn} is not in this template and left out");
                    self.note(&place, &note);
                }
            }
        }
    }

    /// What becomes of asynchronous invocations: `EventInvokeConfig`.
    fn asynchronous(&mut self, declared: &Declared, config: &Section<'_>, function: &mut Function) {
        self.reader.events(config, function);
        let Some(destinations) = self.reader.section(config, DESTINATIONS, "a map") else {
            return;
        };
        let mut found = EventDestinations {
            dead_letter: function.destinations.dead_letter.take(),
            ..EventDestinations::default()
        };
        for (name, slot) in [
            ("OnSuccess", &mut found.on_success),
            ("OnFailure", &mut found.on_failure),
        ] {
            if let Some(section) = self.reader.section(&destinations, Key::only(name), "a map") {
                *slot = self.destination(declared, &section, name);
            }
        }
        function.destinations = found;
    }

    /// SAM makes the queue or topic itself when a type is all that is written.
    fn destination(
        &mut self,
        declared: &Declared,
        section: &Section<'_>,
        name: &str,
    ) -> Option<String> {
        let key = Key::only("Destination");
        if self.reader.has(section, key) {
            let arn = self.reader.string(section, key)?;
            return self.arn(&section.place_of(key.sam), arn);
        }
        let kind = match section.map.get("Type").and_then(Value::as_str) {
            Some("SQS") => QUEUE,
            Some("SNS") => TOPIC,
            _ => {
                self.reader.problem(
                    &section.place,
                    "missing Destination, the ARN of what is told",
                );
                return None;
            }
        };
        let kind = Kind::of(kind)?;
        let (_, noun) = kind.noun.split_once(' ')?;
        let noun = match noun {
            "queue" => "Queue",
            _ => "Topic",
        };
        let logical_id = format!("{}EventInvokeConfig{name}{noun}", declared.name);
        let resource = kind.resource(&logical_id, Map::new());
        let physical_name = kind.physical_name(&logical_id, &Map::new());
        self.resources.push(resource);
        kind.arn(&physical_name)
    }

    pub(super) fn arn(&mut self, place: &str, text: String) -> Option<String> {
        if text.starts_with("arn:") {
            return Some(text);
        }
        self.reader
            .mismatch(place, "an ARN such as !GetAtt Queue.Arn", &json!(text));
        None
    }

    /// `DeadLetterQueue` is SAM's name for it and `DeadLetterConfig` that of Lambda.
    fn dead_letter(&mut self, section: &Section<'_>) -> Option<String> {
        for name in ["DeadLetterQueue", "DeadLetterConfig"] {
            if let Some(config) = self.reader.section(section, Key::only(name), "a map") {
                let key = Key::only("TargetArn");
                let arn = self.reader.string(&config, key)?;
                return self.arn(&place_of(&config.place, key.sam), arn);
            }
        }
        None
    }
}

/// `Events` is resolved event by event.
const USED: &[&str] = &[
    "FunctionName",
    "CodeUri",
    "Code",
    "InlineCode",
    "PackageType",
    "Handler",
    "Runtime",
    "MemorySize",
    "Timeout",
    "Environment",
    "Layers",
    "Architectures",
    "EphemeralStorage",
    "ReservedConcurrentExecutions",
    "ProvisionedConcurrencyConfig",
    "SnapStart",
    "CapacityProviderConfig",
    "FunctionScalingConfig",
    "FunctionUrlConfig",
    "EventInvokeConfig",
    "DeadLetterQueue",
    "DeadLetterConfig",
    "LoggingConfig",
];
/// Known, and without a meaning on this machine.
const UNHEEDED: &[&str] = &[
    "Events",
    "Policies",
    "Role",
    "RolePath",
    "Tags",
    "PropagateTags",
    "Tracing",
    "TracingConfig",
    "Description",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "AutoPublishCodeSha256",
    "DeploymentPreference",
    "VersionDescription",
    "VersionDeletionPolicy",
    "PermissionsBoundary",
    "AssumeRolePolicyDocument",
    "VpcConfig",
    "KmsKeyArn",
    "SourceKMSKeyArn",
    "RuntimeManagementConfig",
    "CodeSigningConfigArn",
    "ImageConfig",
    "ImageUri",
    "RecursiveLoop",
];
const ENVIRONMENT: Key = Key::only("Environment");
const VARIABLES: Key = Key::only("Variables");
const LOGGING: Key = Key::only("LoggingConfig");
const URL: Key = Key::only("FunctionUrlConfig");
const EVENT_INVOKE: Key = Key::only("EventInvokeConfig");
const DESTINATIONS: Key = Key::only("DestinationConfig");
const SNAP_START: Key = Key::only("SnapStart");
const PROVISIONED: Key = Key::only("ProvisionedConcurrencyConfig");
/// The function URLs of a template listen from here on.
const URL_PORT_FIRST: u16 = 4310;
