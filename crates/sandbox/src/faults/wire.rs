//! Faults as JSON: an object with `what`, what belongs to that, and what all faults can have.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::doors::DoorState;

use super::fault::{Delivery, Fault, FaultError, Start, Victim, What};
use super::plan::FaultTold;

/// Reads an object; anything in it that does not belong there is a mistake that is told.
pub(crate) fn parse(body: &[u8]) -> Result<Fault, FaultError> {
    let bad = |why: String| FaultError::Bad(why);
    let value: Value =
        serde_json::from_slice(body).map_err(|error| bad(format!("it is no JSON: {error}")))?;
    let Value::Object(map) = value else {
        return Err(bad("it is no JSON object".to_owned()));
    };
    let mut fields = Fields(map);
    let what = what(&mut fields)?;
    let start = match (
        fields.duration("after_ms")?,
        fields.number("at_invocation")?,
    ) {
        (None, None) => Start::AtOnce,
        (Some(wait), None) => Start::After(wait),
        (None, Some(number)) => Start::AtInvocation(number),
        (Some(_), Some(_)) => return Err(bad("it has both after_ms and at_invocation".to_owned())),
    };
    let fault = Fault {
        what,
        function: fields.text("function")?,
        share: fields.share()?,
        start,
        lasts: fields.duration("lasts_ms")?,
        times: fields.number("times")?,
        seed: fields.number("seed")?.unwrap_or(0),
        into: fields.duration("into_invocation_ms")?.unwrap_or_default(),
        environments: fields.flag("on_environments")?,
    };
    fields.nothing_left()?;
    Ok(fault)
}

/// The same the other way, with what became of it.
pub(crate) fn told(told: &FaultTold) -> Value {
    let fault = &told.fault;
    let mut object = described(&fault.what);
    let mut set = |key: &str, value: Value| {
        object.insert(key.to_owned(), value);
    };
    set("id", json!(told.id));
    if let Some(function) = &fault.function {
        set("function", json!(function));
    }
    if fault.share < 1.0 {
        set("share", json!(fault.share));
        set("seed", json!(fault.seed));
    }
    match fault.start {
        Start::AtOnce => {}
        Start::After(wait) => set("after_ms", millis(wait)),
        Start::AtInvocation(number) => set("at_invocation", json!(number)),
    }
    if let Some(lasts) = fault.lasts {
        set("lasts_ms", millis(lasts));
    }
    if let Some(times) = fault.times {
        set("times", json!(times));
    }
    if !fault.into.is_zero() {
        set("into_invocation_ms", millis(fault.into));
    }
    if fault.environments {
        set("on_environments", json!(true));
    }
    set("description", json!(fault.to_string()));
    set("struck", json!(told.struck));
    set("started", json!(told.started));
    set("over", json!(told.over));
    Value::Object(object)
}

fn what(fields: &mut Fields) -> Result<What, FaultError> {
    let name = fields.required_text("what")?;
    let telemetry =
        |fields: &mut Fields, delivery| Ok(What::Telemetry(delivery, fields.text("extension")?));
    match name.as_str() {
        "kill" => Ok(What::Kill(fields.victim()?)),
        "hang" => Ok(What::Hang(fields.victim()?)),
        "out-of-memory" => Ok(What::OutOfMemory),
        "drop-environment" => Ok(What::DropEnvironment),
        "throttle" => Ok(What::Throttle),
        "delay-telemetry" => {
            let by = fields.required("delay_ms", Fields::duration)?;
            telemetry(fields, Delivery::Delay(by))
        }
        "refuse-telemetry" => telemetry(fields, Delivery::Refuse),
        "fail-telemetry" => {
            let status = fields.number("status")?.unwrap_or(500);
            telemetry(fields, Delivery::Status(u16::try_from(status).unwrap_or(0)))
        }
        "duplicate-telemetry" => telemetry(fields, Delivery::Duplicate),
        "lose-telemetry" => telemetry(fields, Delivery::Lose),
        "lose-report" => Ok(What::LoseReport),
        "duplicate-event" => Ok(What::DuplicateEvent),
        "poison-event" => Ok(What::PoisonEvent(fields.payload())),
        "jump-clock" => Ok(What::ClockJump(
            fields.required("frozen_ms", Fields::duration)?,
        )),
        "fail-metadata" => {
            let status = fields.number("status")?.unwrap_or(503);
            Ok(What::Metadata(u16::try_from(status).unwrap_or(0)))
        }
        "slow-door" => {
            let delay = fields.duration("delay_ms")?.unwrap_or_default();
            let bytes_per_second = fields.number("bytes_per_second")?;
            let state = DoorState::Slow {
                delay,
                bytes_per_second,
            };
            Ok(What::Door(fields.required_text("door")?, state))
        }
        "refuse-door" => Ok(What::Door(fields.required_text("door")?, DoorState::Refuse)),
        "black-hole-door" => Ok(What::Door(
            fields.required_text("door")?,
            DoorState::BlackHole,
        )),
        other => Err(FaultError::Bad(format!(
            "there is nothing called {other:?}: {}",
            FAULT_NAMES.join(", ")
        ))),
    }
}

fn described(what: &What) -> Map<String, Value> {
    let value = match what {
        What::Kill(victim) => json!({"what": "kill", "process": process(victim)}),
        What::Hang(victim) => json!({"what": "hang", "process": process(victim)}),
        What::OutOfMemory => json!({"what": "out-of-memory"}),
        What::DropEnvironment => json!({"what": "drop-environment"}),
        What::Throttle => json!({"what": "throttle"}),
        What::Telemetry(delivery, extension) => {
            let mut value = match delivery {
                Delivery::Delay(by) => json!({"what": "delay-telemetry", "delay_ms": millis(*by)}),
                Delivery::Refuse => json!({"what": "refuse-telemetry"}),
                Delivery::Status(status) => json!({"what": "fail-telemetry", "status": status}),
                Delivery::Duplicate => json!({"what": "duplicate-telemetry"}),
                Delivery::Lose => json!({"what": "lose-telemetry"}),
            };
            if let Some(extension) = extension {
                value["extension"] = json!(extension);
            }
            value
        }
        What::LoseReport => json!({"what": "lose-report"}),
        What::DuplicateEvent => json!({"what": "duplicate-event"}),
        What::PoisonEvent(payload) => {
            let payload: Value = serde_json::from_slice(payload).unwrap_or_default();
            json!({"what": "poison-event", "payload": payload})
        }
        What::Door(
            door,
            DoorState::Slow {
                delay,
                bytes_per_second,
            },
        ) => {
            let mut value = json!({"what": "slow-door", "door": door, "delay_ms": millis(*delay)});
            if let Some(speed) = bytes_per_second {
                value["bytes_per_second"] = json!(speed);
            }
            value
        }
        What::Door(door, DoorState::BlackHole) => json!({"what": "black-hole-door", "door": door}),
        What::Door(door, _) => json!({"what": "refuse-door", "door": door}),
        What::Metadata(status) => json!({"what": "fail-metadata", "status": status}),
        What::ClockJump(frozen) => json!({"what": "jump-clock", "frozen_ms": millis(*frozen)}),
    };
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn process(victim: &Victim) -> String {
    match victim {
        Victim::Runtime => "runtime".to_owned(),
        Victim::Extension(name) => format!("extension:{name}"),
    }
}

fn millis(duration: Duration) -> Value {
    json!(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// What has not been read yet.
struct Fields(Map<String, Value>);

type Read<T> = Result<Option<T>, FaultError>;

impl Fields {
    fn read<T>(
        &mut self,
        key: &str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Read<T> {
        let Some(value) = self.0.remove(key).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let wrong = || FaultError::Bad(format!("{key} is {value} and not {expected}"));
        read(&value).map(Some).ok_or_else(wrong)
    }

    fn text(&mut self, key: &str) -> Read<String> {
        self.read(key, "a text", |value| value.as_str().map(str::to_owned))
    }

    fn number(&mut self, key: &str) -> Read<u64> {
        self.read(key, "a whole number", Value::as_u64)
    }

    fn duration(&mut self, key: &str) -> Read<Duration> {
        Ok(self.number(key)?.map(Duration::from_millis))
    }

    fn flag(&mut self, key: &str) -> Result<bool, FaultError> {
        Ok(self
            .read(key, "true or false", Value::as_bool)?
            .unwrap_or(false))
    }

    fn share(&mut self) -> Result<f64, FaultError> {
        Ok(self
            .read("share", "a number", Value::as_f64)?
            .unwrap_or(1.0))
    }

    fn payload(&mut self) -> Bytes {
        let payload = self
            .0
            .remove("payload")
            .unwrap_or_else(|| json!({"poison": true}));
        payload.to_string().into()
    }

    fn victim(&mut self) -> Result<Victim, FaultError> {
        let process = self
            .text("process")?
            .unwrap_or_else(|| "runtime".to_owned());
        match process.split_once(':') {
            None if process == "runtime" => Ok(Victim::Runtime),
            Some(("extension", name)) => Ok(Victim::Extension(name.to_owned())),
            _ => Err(FaultError::Bad(format!(
                "process is {process:?} and not \"runtime\" or \"extension:NAME\""
            ))),
        }
    }

    fn required_text(&mut self, key: &str) -> Result<String, FaultError> {
        self.required(key, Self::text)
    }

    fn required<T>(
        &mut self,
        key: &str,
        read: impl Fn(&mut Self, &str) -> Read<T>,
    ) -> Result<T, FaultError> {
        let missing = || FaultError::Bad(format!("{key} is missing"));
        read(self, key)?.ok_or_else(missing)
    }

    fn nothing_left(self) -> Result<(), FaultError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let keys: Vec<_> = self.0.keys().map(String::as_str).collect();
        Err(FaultError::Bad(format!(
            "it has what does not belong there: {}",
            keys.join(", ")
        )))
    }
}

/// Everything that can go wrong on demand, by the `what` of the control API.
pub const FAULT_NAMES: [&str; 18] = [
    "kill",
    "hang",
    "out-of-memory",
    "drop-environment",
    "throttle",
    "delay-telemetry",
    "refuse-telemetry",
    "fail-telemetry",
    "duplicate-telemetry",
    "lose-telemetry",
    "lose-report",
    "duplicate-event",
    "poison-event",
    "jump-clock",
    "fail-metadata",
    "slow-door",
    "refuse-door",
    "black-hole-door",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_and_told_again() {
        let own = |name: &str| match name {
            "kill" => json!({"process": "extension:ext"}),
            "hang" => json!({"process": "runtime"}),
            "delay-telemetry" => json!({"delay_ms": 20, "extension": "ext"}),
            "fail-telemetry" | "fail-metadata" => json!({"status": 503}),
            "poison-event" => json!({"payload": [1]}),
            "jump-clock" => json!({"frozen_ms": 600_000}),
            "slow-door" => json!({"door": "d", "delay_ms": 5, "bytes_per_second": 1000}),
            "refuse-door" | "black-hole-door" => json!({"door": "d"}),
            _ => json!({}),
        };
        for name in FAULT_NAMES {
            let mut object = own(name);
            object["what"] = json!(name);
            object["function"] = json!("f");
            if !name.ends_with("-door") {
                object["share"] = json!(0.25);
                object["seed"] = json!(3);
                object["times"] = json!(4);
            }
            object["at_invocation"] = json!(2);
            object["lasts_ms"] = json!(1000);
            let fault = parse(object.to_string().as_bytes()).unwrap();
            fault.check().unwrap();
            let description = fault.to_string();
            let again = told(&FaultTold {
                id: 7,
                fault,
                struck: 1,
                started: true,
                over: false,
            });
            let rest = json!({"id": 7, "struck": 1, "started": true, "over": false, "description": description});
            for (key, value) in rest.as_object().unwrap() {
                object[key] = value.clone();
            }
            assert_eq!(again, object);
        }
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            (
                "{",
                "it is no JSON: EOF while parsing an object at line 1 column 1",
            ),
            ("[]", "it is no JSON object"),
            ("{}", "what is missing"),
            (
                r#"{"what":"kill","process":"init"}"#,
                r#"process is "init" and not "runtime" or "extension:NAME""#,
            ),
            (
                r#"{"what":"throttle","process":"runtime"}"#,
                "it has what does not belong there: process",
            ),
            (
                r#"{"what":"throttle","share":"half"}"#,
                r#"share is "half" and not a number"#,
            ),
            (
                r#"{"what":"throttle","share":1.5}"#,
                "the share is not above 0 and at most 1",
            ),
            (
                r#"{"what":"jump-clock","frozen_ms":18446744073709551615}"#,
                "the clock jumps by a year at most",
            ),
            (
                r#"{"what":"throttle","times":0}"#,
                "invocations and times are counted from 1",
            ),
            (
                r#"{"what":"throttle","after_ms":1,"at_invocation":1}"#,
                "it has both after_ms and at_invocation",
            ),
            (r#"{"what":"delay-telemetry"}"#, "delay_ms is missing"),
            (
                r#"{"what":"fail-telemetry","status":200}"#,
                "the status is not between 300 and 599",
            ),
            (
                r#"{"what":"fail-metadata","status":404}"#,
                "the status is neither 500 nor 503",
            ),
            (
                r#"{"what":"throttle","on_environments":true}"#,
                "only processes, whole environments and the clock can be struck outside of invocations",
            ),
            (
                r#"{"what":"throttle","into_invocation_ms":5}"#,
                "only processes and environments are struck some time into an invocation",
            ),
        ];
        for (body, expected) in cases {
            let read = parse(body.as_bytes()).and_then(|fault| fault.check().map(|()| fault));
            assert_eq!(
                read.unwrap_err().to_string(),
                format!("cannot add the fault: {expected}")
            );
        }
        let unknown = parse(br#"{"what":"rain"}"#).unwrap_err().to_string();
        assert!(
            unknown.contains(r#"nothing called "rain": kill, hang"#),
            "{unknown}"
        );
    }
}
