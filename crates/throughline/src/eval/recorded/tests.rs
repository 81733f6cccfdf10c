use std::collections::BTreeSet;
use std::sync::Arc;

use throughline_telemetry::wire::{self, Request};
use throughline_telemetry::{
    Attributes, Resource, Scope, Span, SpanId, SpanKind, SpanStatus, TraceId, Value,
};

use super::take::RELEASED_EVERY;
use super::*;

const FROM: UnixNanos = UnixNanos(1_000_000_000_000_000_000);
const MINUTES: u64 = 5;
const DIGEST: &str = "throughline.code.digest";
const CODE: &str = "0123456789abcdef";

/// Ten calls a minute that take so long, each with the id of its request in a text.
fn take(name: &str, causes: &[&str], millis: u64, folder: &Path) {
    let attributes: Attributes = [("service.name", "shop"), (DIGEST, CODE)]
        .into_iter()
        .collect();
    let resource = Arc::new(Resource { attributes });
    let spans = (0..MINUTES * 10).map(|nth| {
        let start = FROM.plus(Duration::from_secs(nth * 6));
        let id = nth + 1;
        let request = format!("00000000-0000-4000-8000-{id:012x}");
        Span {
            trace_id: TraceId::new(u128::from(id).to_be_bytes()).unwrap(),
            span_id: SpanId::new(id.to_be_bytes()).unwrap(),
            parent_id: None,
            trace_state: String::new(),
            name: "GET /".to_owned(),
            kind: SpanKind::Server,
            start,
            end: start.plus(Duration::from_millis(millis + nth % 7)),
            status: SpanStatus::Unset,
            status_message: String::new(),
            attributes: [("request", request)].into_iter().collect(),
            events: Vec::new(),
            links: Vec::new(),
            resource: Arc::clone(&resource),
            scope: Arc::new(Scope::default()),
        }
    });
    let spans: Vec<Span> = spans.collect();
    let folder = folder.join(name);
    fs::create_dir_all(&folder).unwrap();
    let traces = Request::Traces(wire::traces_request(&spans));
    fs::write(folder.join("traces.binpb"), traces.to_protobuf()).unwrap();
    fs::write(folder.join("logs.binpb"), []).unwrap();
    let from = FROM.0 / 1_000_000;
    let about = serde_json::json!({
        "from_unix_millis": from, "to_unix_millis": from + MINUTES * 60_000, "causes": causes,
    });
    fs::write(folder.join("take.json"), about.to_string()).unwrap();
}

/// What is sent, as spans.
fn sent(pieces: &[Piece<'_>], begin: UnixNanos) -> Vec<Span> {
    let [traces, logs] = take::requests(pieces, SLOT, begin);
    assert_eq!(logs.items(), 0);
    match traces {
        Request::Traces(traces) => wire::spans(traces).unwrap(),
        _ => unreachable!(),
    }
}

/// Which code ran, by its digest.
fn code(span: &Span) -> String {
    let code = span.resource.attributes.get(DIGEST);
    code.and_then(Value::as_str).unwrap().to_owned()
}

#[test]
fn a_copy_is_at_another_time_and_has_ids_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    take("normal", &[], 20, folder.path());
    let take = Take::load(&folder.path().join("normal")).unwrap();
    let piece = |key| Piece {
        take: &take,
        offset: Duration::from_secs(60),
        key,
    };
    let begin = BEGIN.plus(HOUR);
    let same = sent(&[piece(0)], begin);
    assert_eq!(same.len(), 20, "what begins within two minutes");
    assert_eq!(same[0].start, begin);
    assert_eq!(same[0].trace_id.to_string(), format!("{:032x}", 11));
    let request = |span: &Span| {
        span.attributes
            .get("request")
            .and_then(Value::as_str)
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        request(&same[0]),
        format!("00000000-0000-4000-8000-{:012x}", 11)
    );

    let turned = sent(&[piece(0x2000_0001)], begin);
    assert_eq!(
        turned[0].trace_id.to_string(),
        "1000000210000002100000021000000d"
    );
    assert_eq!(request(&turned[0]), "10000002-1000-4002-9000-00021000000d");
    assert_eq!(code(&turned[0]), code(&same[0]), "it is no id");
    let both = sent(&[piece(0), piece(1), piece(0x2000_0001)], begin);
    let ids: BTreeSet<TraceId> = both.iter().map(|span| span.trace_id).collect();
    assert_eq!(ids.len(), 60);
}

#[test]
fn a_service_is_released_from_time_to_time() {
    let folder = tempfile::tempdir().unwrap();
    take("normal", &[], 20, folder.path());
    let take = Take::load(&folder.path().join("normal")).unwrap();
    let piece = Piece {
        take: &take,
        offset: Duration::from_secs(60),
        key: 7,
    };
    let slots = 4 * RELEASED_EVERY.as_secs() / SLOT.as_secs();
    let codes = (0..u32::try_from(slots).unwrap()).map(|slot| {
        let sent = sent(&[piece], BEGIN.plus(SLOT * slot));
        let codes: BTreeSet<String> = sent.iter().map(code).collect();
        assert_eq!(codes.len(), 1, "all of it at once");
        codes.into_iter().next().unwrap()
    });
    let mut codes: Vec<String> = codes.collect();
    codes.dedup();
    assert!((4..=5).contains(&codes.len()), "{codes:?}");
    assert_eq!(codes[0], CODE);
    let all: BTreeSet<&String> = codes.iter().collect();
    assert_eq!(all.len(), codes.len(), "none comes again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_played_is_noticed_and_what_is_as_usual_is_not() {
    let folder = tempfile::tempdir().unwrap();
    take("normal", &[], 20, folder.path());
    take("slow", &["service:shop"], 400, folder.path());
    take("same", &["service:shop"], 20, folder.path());
    let recording = Recording::load(folder.path()).unwrap();
    let plan = Plan {
        learn: 1,
        seeds: 1,
        days: 1,
    };
    let place = tempfile::tempdir().unwrap();
    let scores = recording
        .play(plan, place.path(), &mut Line::new())
        .await
        .unwrap();
    let scores = scores.to_json();
    let of = |kind: &str| {
        let kinds = scores["kinds"].as_array().unwrap();
        kinds.iter().find(|it| it["kind"] == kind).unwrap().clone()
    };
    assert_eq!(of("slow")["recall_at_1"], 1.0, "{scores}");
    assert_eq!(of("same")["noticed"], 0.0, "{scores}");
    assert_eq!(scores["false_a_week"], 0.0, "{scores}");
    assert_eq!(scores["incidents"], 2);
    assert!(
        fs::read_dir(place.path()).unwrap().next().is_none(),
        "it is taken away"
    );
}

#[test]
fn what_is_no_recording_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let why = || format!("{:#}", Recording::load(folder.path()).err().unwrap());
    assert!(
        why().ends_with("has no folder normal with a take"),
        "{}",
        why()
    );
    take("normal", &[], 20, folder.path());
    take("slow", &[], 20, folder.path());
    assert_eq!(why(), "slow has no cause");
    fs::write(folder.path().join("slow/traces.binpb"), "no").unwrap();
    assert!(why().contains("traces.binpb in "), "{}", why());
}
