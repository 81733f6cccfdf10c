//! What the function and the platform tell the extension.

use throughline_extension::Event;
use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request;

use super::World;

impl World {
    pub(super) fn export(&mut self, count: u64) {
        let spans: Vec<String> = (0..count)
            .map(|_| {
                let id = self.id();
                let size = self.random.one_of(&[0, 0, 10, 300]);
                let noise: String = (0..size).map(|_| char::from(b'a' + (self.random.next() % 26) as u8)).collect();
                let failed = if self.random.chance(50) { r#","kind":2,"status":{"code":2}"# } else { "" };
                let trace = self.random.from(1, 9);
                format!(
                    r#"{{"traceId":"0000000000000000000000000000000{trace}","spanId":"00000000000000b1","name":"{id}","traceState":"{noise}"{failed}}}"#
                )
            })
            .collect();
        let json = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#,
            spans.join(",")
        );
        let request = Request::from_json(Signal::Traces, json.as_bytes()).expect("OTLP");
        self.feed(Event::Exported(request));
        if self.random.chance(20) && !self.over {
            self.feed(Event::Signalled { request_id: None });
        }
    }

    pub(super) fn line(&mut self, number: u64) {
        let id = self.id();
        let body = format!(
            r#"[{{"time":"{}","type":"function","record":"{id} line {number}\n"}}]"#,
            self.iso()
        );
        self.feed(Event::Telemetry(body.into()));
    }

    pub(super) fn tell(&mut self, kind: &str, request_id: &str) {
        let time = self.iso();
        let body = format!(
            r#"[{{"time":"{time}","type":"platform.{kind}","record":{{"requestId":"{request_id}","status":"success","metrics":{{"durationMs":5.0}}}}}}]"#
        );
        self.feed(Event::Telemetry(body.into()));
    }

    pub(super) fn id(&mut self) -> String {
        self.tally.accepted += 1;
        let id = format!("id-{}-{}", self.tally.accepted, self.environment);
        self.accepted
            .entry(self.environment.clone())
            .or_default()
            .insert(id.clone());
        id
    }
}
