//! Stories of what is known to happen between functions.

mod any;
mod bus;
mod until;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write;

use expect_test::{Expect, expect};
use throughline_telemetry::correlation::{COST_USD, IN_PATH, INVOCATION_ID, LINK_IN, LINK_OUT};
use throughline_telemetry::{
    Attributes, Link, LogRecord, Span, SpanId, SpanKind, TraceId, UnixNanos, Value,
};

use super::keys::{self, request_key};
use super::*;
use crate::testing;

/// What is stored, in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    parts: BTreeMap<TraceId, Part>,
    loads: usize,
}

impl World {
    pub(super) fn of(spans: impl IntoIterator<Item = Span>) -> Self {
        let mut world = World::default();
        for span in spans {
            let part = world.parts.entry(span.trace_id).or_default();
            part.spans.push(span);
        }
        world
    }

    fn log(mut self, trace: u8, log: LogRecord) -> Self {
        self.parts.entry(id(trace)).or_default().logs.push(log);
        self
    }

    pub(super) fn story(&mut self, asked: u8, limits: Limits) -> Story {
        let Ok(gathered) = gather(self, &[id(asked)], limits);
        tell(gathered)
    }
}

impl Source for World {
    type Error = Infallible;

    fn load(&mut self, id: TraceId) -> Result<Part, Infallible> {
        self.loads += 1;
        Ok(self.parts.get(&id).cloned().unwrap_or_default())
    }

    fn linked(&mut self, ends: &[End]) -> Result<Found, Infallible> {
        let has = |span: &Span, end: &End| match end {
            End::Out(key) => keys::texts(&span.attributes, LINK_OUT).any(|it| it == key),
            End::In(key) => {
                keys::texts(&span.attributes, LINK_IN).any(|it| it == key)
                    || keys::invocation(span).is_some_and(|id| request_key(id) == *key)
            }
            End::LinkTo(trace) => span.links.iter().any(|link| link.trace_id == *trace),
        };
        let traces = ends.iter().map(|end| {
            let parts = self.parts.iter();
            let with = parts.filter(|(_, part)| part.spans.iter().any(|span| has(span, end)));
            with.map(|(id, _)| *id).collect()
        });
        Ok(Found {
            traces: traces.collect(),
            truncated: false,
        })
    }
}

pub(super) fn id(trace: u8) -> TraceId {
    TraceId::new([trace; 16]).unwrap()
}

fn list(texts: &[&str]) -> Value {
    let texts = texts.iter().map(|text| Value::String((*text).to_owned()));
    Value::Array(texts.collect())
}

/// A span of a trace, with times in milliseconds.
pub(super) struct Made(Span);

pub(super) fn span(trace: u8, number: u64, parent: u64, start: u64, end: u64) -> Made {
    let millis = 1_000_000;
    let mut span = testing::span(number, parent, start * millis, end * millis);
    span.trace_id = id(trace);
    Made(span)
}

impl Made {
    fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.0.name);
        self
    }

    /// An invocation of a function.
    pub(super) fn invocation(mut self, request: &str) -> Self {
        self.0.kind = SpanKind::Server;
        self.0.attributes.set(INVOCATION_ID, request);
        self
    }

    pub(super) fn sends(mut self, keys: &[&str]) -> Self {
        self.0.attributes.set(LINK_OUT, list(keys));
        self
    }

    pub(super) fn receives(mut self, keys: &[&str]) -> Self {
        self.0.attributes.set(LINK_IN, list(keys));
        self
    }

    fn through(mut self, paths: &[&str]) -> Self {
        self.0.attributes.set(IN_PATH, list(paths));
        self
    }

    fn costs(mut self, usd: f64) -> Self {
        self.0.attributes.set(COST_USD, Value::Double(usd));
        self
    }

    pub(super) fn links(mut self, trace: u8, span: u64, keys: &[&str]) -> Self {
        let mut attributes = Attributes::default();
        attributes.set(LINK_IN, list(keys));
        self.0.links.push(Link {
            trace_id: id(trace),
            span_id: SpanId::new(span.to_be_bytes()).unwrap(),
            trace_state: String::new(),
            attributes,
        });
        self
    }

    pub(super) fn build(self) -> Span {
        self.0
    }
}

/// The story as a tree: trace, name, and how a span came to its parent.
fn shown(story: &Story) -> String {
    let mut text = String::new();
    let first = |id: TraceId| id.as_bytes()[0];
    for told in &story.spans {
        let _ = write!(text, "{:indent$}", "", indent = told.depth * 2);
        let _ = write!(text, "{} {}", first(told.span.trace_id), told.span.name);
        if told.is_inferred {
            let waited = told.span.duration().as_millis();
            let _ = write!(text, " (waited {waited} ms)");
        }
        if let Some(join) = &told.join {
            let key = join.key.as_deref().unwrap_or("-");
            let _ = write!(text, " <- {} {key}", join.how.name());
        }
        if let Some(attempt) = told.attempt {
            let _ = write!(text, " attempt {attempt}");
        }
        text.push_str(if told.parent_missing { " ?\n" } else { "\n" });
    }
    let LeftOut { traces, is_partial } = story.left_out;
    if traces > 0 || is_partial {
        let _ = writeln!(text, "left out: {traces} {is_partial}");
    }
    text
}

/// The same story by each of these traces.
fn check(world: &World, asked: &[u8], expect: &Expect) {
    for asked in asked {
        let story = world.clone().story(*asked, Limits::default());
        expect.assert_eq(&shown(&story));
    }
}

/// An order that a function puts into a queue.
fn order() -> [Span; 2] {
    [
        span(1, 1, 0, 0, 50)
            .named("place-order")
            .invocation("r-1")
            .build(),
        span(1, 2, 1, 10, 20)
            .named("send")
            .sends(&["sqs:m-1", "sqsbody:b"])
            .build(),
    ]
}

#[test]
fn a_queue_that_starts_a_new_trace_is_matched_by_the_message() {
    let consumer = span(2, 3, 0, 120, 150).named("notify").invocation("r-2");
    let consumer = consumer
        .receives(&["sqs:m-1", "sqsbody:b", "lam:r-2"])
        .through(&["queue:orders@20#sqs:m-1"]);
    let world = World::of(order().into_iter().chain([consumer.build()]));
    check(
        &world,
        &[1, 2],
        &expect![[r#"
            1 place-order
              1 send
                2 queue orders (waited 100 ms)
                  2 notify <- matched sqs:m-1
        "#]],
    );
}

#[test]
fn the_platforms_span_hangs_below_the_call_and_the_layers_below_it() {
    let platform = span(2, 3, 0, 100, 150).named("invoke").invocation("r-2");
    let layer = span(2, 4, 3, 101, 149).named("handler").invocation("r-2");
    let caller = span(1, 1, 0, 0, 200).named("caller").invocation("r-1");
    let call = span(1, 2, 1, 50, 160).named("call").sends(&["lam:r-2"]);
    let spans = [platform, layer.receives(&["lam:r-2"]), caller, call];
    let world = World::of(spans.map(Made::build));
    check(
        &world,
        &[1, 2],
        &expect![[r#"
            1 caller
              1 call
                2 invoke <- matched lam:r-2
                  2 handler
        "#]],
    );
}

#[test]
fn a_key_wins_for_the_parent_where_a_header_names_another_and_agrees_with_it_quietly() {
    let caller = span(1, 1, 0, 0, 200).named("caller").invocation("r-1");
    let call = span(1, 2, 1, 50, 160).named("call").sends(&["lam:r-2"]);
    let callee = |parent| {
        let callee = span(1, 3, parent, 60, 150).named("callee");
        callee.invocation("r-2").receives(&["lam:r-2"]).build()
    };
    let [caller, call] = [caller, call].map(Made::build);
    let world = World::of([caller.clone(), call.clone(), callee(1)]);
    check(
        &world,
        &[1],
        &expect![[r#"
            1 caller
              1 call
                1 callee <- matched lam:r-2
        "#]],
    );
    let world = World::of([caller, call, callee(2)]);
    check(
        &world,
        &[1],
        &expect![[r#"
            1 caller
              1 call
                1 callee
        "#]],
    );
}

#[test]
fn a_batch_is_in_the_story_of_each_of_its_messages_and_once_in_each() {
    let sender = |trace: u8, key: &str| {
        let sender = span(trace, u64::from(trace), 0, 0, 10).named("send");
        sender.sends(&[key]).build()
    };
    let batch = span(9, 9, 0, 30, 60).named("batch").invocation("r-9");
    let batch = batch
        .receives(&["sqs:a", "sqs:b", "sqs:c", "lam:r-9"])
        .links(1, 1, &["sqs:a"])
        .links(2, 2, &["sqs:b"])
        .links(3, 3, &["sqs:c"])
        .through(&["queue:q@5#sqs:a", "queue:q@6#sqs:b", "queue:q@7#sqs:c"]);
    let after = span(8, 8, 0, 70, 80).named("after").links(9, 9, &[]);
    let senders = [sender(1, "sqs:a"), sender(2, "sqs:b"), sender(3, "sqs:c")];
    let world = World::of(senders.into_iter().chain([batch.build(), after.build()]));
    check(
        &world,
        &[2],
        &expect![[r#"
            2 send
              9 queue q (waited 24 ms)
                9 batch <- carried sqs:b
                  8 after <- carried -
        "#]],
    );
    // Who asks for the batch itself wants to know whose messages they were.
    check(
        &world,
        &[9, 8],
        &expect![[r#"
            1 send
              9 queue q (waited 25 ms)
                9 batch <- carried sqs:a
                  8 after <- carried -
            2 send
              9 queue q (waited 24 ms)
            3 send
              9 queue q (waited 23 ms)
        "#]],
    );
}

#[test]
fn a_topic_fans_out() {
    let sender = span(1, 1, 0, 0, 10).named("publish").sends(&["sns:t"]);
    let consumer = |trace: u8, keys: &[&str]| {
        let consumer = span(trace, u64::from(trace), 0, u64::from(trace) * 20, 90);
        consumer.named("consume").receives(keys).build()
    };
    let world = World::of([
        sender.build(),
        consumer(2, &["sns:t"]),
        consumer(3, &["sqs:other", "sqsbody:x", "sns:t"]),
    ]);
    check(
        &world,
        &[1, 2, 3],
        &expect![[r#"
            1 publish
              2 consume <- matched sns:t
              3 consume <- matched sns:t
        "#]],
    );
}

#[test]
fn what_was_redriven_is_inferred_from_whoever_sent_it_last_before() {
    let sender = |trace: u8, start: u64| {
        let sender = span(trace, u64::from(trace), 0, start, start + 1).named("send");
        sender
            .sends(&[&format!("sqs:m-{trace}"), "sqsbody:b"])
            .build()
    };
    let redriven = span(9, 9, 0, 500, 510).named("again");
    let redriven = redriven.receives(&["sqs:new", "sqsbody:b", "lam:r"]);
    let senders = [sender(1, 10), sender(2, 20), sender(3, 3000)];
    let world = World::of(senders.into_iter().chain([redriven.build()]));
    check(
        &world,
        &[2, 9],
        &expect![[r#"
            2 send
              9 again <- inferred sqsbody:b
        "#]],
    );
    check(&world, &[1], &expect!["1 send\n"]);
}

#[test]
fn a_probable_key_says_nothing_where_an_exact_one_was_found() {
    let mut spans = order().to_vec();
    let other = span(2, 5, 0, 15, 16)
        .named("other")
        .sends(&["sqs:m-2", "sqsbody:b"]);
    let consumer = span(3, 6, 0, 100, 110).named("notify");
    let consumer = consumer.receives(&["sqs:m-1", "sqsbody:b"]);
    spans.extend([other.build(), consumer.build()]);
    let world = World::of(spans);
    let expect = expect![[r#"
        1 place-order
          1 send
            3 notify <- matched sqs:m-1
    "#]];
    check(&world, &[1, 3], &expect);
    check(&world, &[2], &expect!["2 other\n"]);
}

#[test]
fn retries_of_one_request_are_attempts_and_each_has_its_cost() {
    let attempt = |trace: u8, number, start: u64| {
        let attempt = span(trace, number, 2, start, start + 10).named("work");
        attempt.invocation("r-2").receives(&["lam:r-2"])
    };
    let caller = span(1, 1, 0, 0, 20).named("caller").invocation("r-1");
    let call = span(1, 2, 1, 5, 6).named("call").sends(&["lam:r-2"]);
    let report = |span: u64, usd: f64| {
        let mut attributes = Attributes::default();
        attributes.set(COST_USD, Value::Double(usd));
        attributes.set(INVOCATION_ID, "r-2");
        LogRecord {
            trace_id: Some(id(1)),
            span_id: SpanId::new(span.to_be_bytes()).ok(),
            attributes,
            ..testing::log(UnixNanos(span))
        }
    };
    let spans = [
        caller,
        call.costs(9.0),
        attempt(1, 3, 10),
        attempt(1, 4, 100),
    ];
    let other = attempt(2, 5, 300).costs(4.0);
    let world = World::of(spans.into_iter().chain([other]).map(Made::build));
    let world = world.log(1, report(3, 1.0)).log(1, report(4, 2.0));
    check(
        &world,
        &[1, 2],
        &expect![[r#"
            1 caller
              1 call
                1 work attempt 1
                1 work attempt 2
                2 work <- carried lam:r-2 attempt 3
        "#]],
    );
    let story = world.clone().story(1, Limits::default());
    let cost = story.cost.unwrap();
    assert_eq!((cost.usd, cost.reported, cost.missing), (7.0, 3, 1));
    let caller = story.spans[0].cost.unwrap();
    assert_eq!((caller.usd, caller.with_all_below), (None, cost));
    let own: Vec<_> = story.spans[2..]
        .iter()
        .map(|told| told.cost.unwrap().usd)
        .collect();
    assert_eq!(own, [Some(1.0), Some(2.0), Some(4.0)]);
    assert_eq!(story.attempts.len(), 1);
    assert_eq!(story.attempts[0].spans.len(), 3);
}

#[test]
fn a_destination_gets_what_became_of_a_request() {
    let failed = span(1, 1, 0, 0, 10).named("work").invocation("r-1");
    let told = span(2, 2, 0, 20, 30).named("on-failure").invocation("r-2");
    let told = told.receives(&["lam:r-1", "lam:r-2"]);
    let world = World::of([failed.build(), told.build()]);
    check(
        &world,
        &[1, 2],
        &expect![[r#"
            1 work
              2 on-failure <- matched lam:r-1
        "#]],
    );
}

#[test]
fn the_way_of_a_record_is_shown_where_nobody_is_known_to_have_sent_it() {
    let api = span(1, 1, 0, 100, 110).named("get").invocation("r-1");
    let api = api.through(&["api:shop@40"]);
    let mut both = span(2, 2, 0, 100, 110).named("both").build();
    let paths = [
        "topic:t@10#sns:x>queue:q@30#sqs:y>bad>bus:b",
        "queue:q@20#sqs:z",
    ];
    both.attributes.set(IN_PATH, list(&paths));
    let world = World::of([api.build(), both]);
    check(
        &world,
        &[1],
        &expect![[r#"
            1 api shop (waited 60 ms)
              1 get
        "#]],
    );
    check(
        &world,
        &[2],
        &expect![[r#"
            2 topic t (waited 20 ms)
              2 queue q (waited 70 ms)
                2 bus b (waited 70 ms)
                  2 both
        "#]],
    );
}

/// An event that is put on a bus at 1,700 ms, which says that it took it at 1,000.
fn event(destination: Option<&str>) -> World {
    let mut put = span(1, 1, 0, 1_700, 1_720).named("put").sends(&["eb:e"]);
    if let Some(bus) = destination {
        put.0.attributes.set("messaging.destination.name", bus);
    }
    let take = span(2, 2, 0, 1_800, 1_900)
        .named("take")
        .receives(&["eb:e"]);
    World::of([put.build(), take.through(&["bus:@1000#eb:e"]).build()])
}

#[test]
fn a_bus_has_the_name_that_its_sender_knows_and_takes_nothing_before_it_was_sent() {
    check(
        &event(Some("orders")),
        &[1, 2],
        &expect![[r#"
            1 put
              2 bus orders (waited 100 ms)
                2 take <- matched eb:e
        "#]],
    );
    let service = |world: &World| {
        let story = world.clone().story(1, Limits::default());
        let mut inferred = story.spans.iter().filter(|told| told.is_inferred);
        let bus = inferred.next().unwrap();
        bus.span.service().to_owned()
    };
    assert_eq!(service(&event(Some("orders"))), "orders");
    assert_eq!(service(&event(None)), "bus");
    check(
        &event(None),
        &[1],
        &expect![[r#"
            1 put
              2 bus (waited 100 ms)
                2 take <- matched eb:e
        "#]],
    );
}

#[test]
fn what_has_no_room_is_said() {
    let hop = |number: u8| {
        let keys = [number, number + 1].map(|it| format!("sqs:{it}"));
        let hop = span(number, u64::from(number), 0, u64::from(number), 200);
        hop.receives(&[&keys[0]]).sends(&[&keys[1]]).build()
    };
    let mut world = World::of((1..=50).map(hop));
    let limits = |traces_max, spans_max, loads_max| Limits {
        traces_max,
        spans_max,
        loads_max,
    };
    let counts = |story: &Story| (story.spans.len(), story.left_out);
    let left_out = |traces, is_partial| LeftOut { traces, is_partial };
    for asked in [1, 25, 50] {
        let story = world.story(asked, Limits::default());
        assert_eq!(counts(&story), (50, left_out(0, false)), "{asked}");
        let last = story.spans.last().unwrap();
        assert_eq!((story.spans[0].depth, last.depth), (0, 49));
    }
    let story = world.story(1, limits(10, 10_000, 300));
    assert_eq!(counts(&story), (10, left_out(1, false)));
    let story = world.story(1, limits(100, 20, 300));
    assert_eq!(counts(&story), (20, left_out(1, false)));
    let story = world.story(1, limits(100, 10_000, 30));
    assert_eq!(counts(&story), (30, left_out(0, true)));
    // One trace alone is shown whatever it has.
    let story = world.story(1, limits(100, 0, 300));
    assert_eq!(counts(&story), (1, left_out(1, false)));
}

#[test]
fn circles_are_cut() {
    let spans = [
        span(1, 1, 0, 0, 10)
            .named("a")
            .receives(&["sqs:2"])
            .sends(&["sqs:1"]),
        span(2, 2, 0, 5, 10)
            .named("b")
            .receives(&["sqs:1"])
            .sends(&["sqs:2"]),
        span(3, 3, 0, 7, 9)
            .named("c")
            .receives(&["sqs:2"])
            .sends(&["sqs:2"]),
    ];
    let world = World::of(spans.map(Made::build));
    check(
        &world,
        &[1, 2, 3],
        &expect![[r#"
            2 b
              1 a <- matched sqs:2
              3 c <- matched sqs:2
        "#]],
    );
}

#[test]
fn a_trace_alone_is_what_it_was() {
    let spans: Vec<Span> = order().to_vec();
    let story = World::of(spans.clone()).story(1, Limits::default());
    let trace = crate::assemble(spans, Vec::new());
    assert_eq!(story.summary, trace.summary);
    let placed = trace
        .spans
        .iter()
        .map(|it| (&it.span, it.depth, it.parent_missing));
    let told = story
        .spans
        .iter()
        .map(|it| (&it.span, it.depth, it.parent_missing));
    assert!(placed.eq(told));
    assert_eq!(
        (story.cost.map(|it| it.missing), story.joins.len()),
        (Some(1), 0)
    );
}
