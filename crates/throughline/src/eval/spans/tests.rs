use std::collections::HashMap;

use throughline_insight::rootcause::Step;

use super::*;

const BEGIN: UnixNanos = UnixNanos(1_693_922_400 * 1_000_000_000);

fn measured(count: f64, errors: f64, mean_ms: f64) -> Measured {
    let step = Step {
        count,
        errors,
        mean_ms: Some(mean_ms),
    };
    Measured {
        step,
        within_ms: [40.0, 90.0, 120.0, 400.0].map(Some),
    }
}

fn metrics(of: &[(&str, Vec<Measured>)]) -> Metrics {
    let of = of.iter();
    of.map(|(name, steps)| ((*name).to_owned(), steps.clone()))
        .collect()
}

fn calls_of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
        .collect()
}

/// Who told of calls, whom by name, in which kind, and how many.
fn told(spans: &[Span]) -> HashMap<(String, String, SpanKind), usize> {
    let mut told = HashMap::new();
    for span in spans {
        let peer = span.attributes.text("service.peer.name");
        let peer = peer.unwrap_or_default().to_owned();
        *told
            .entry((span.service().to_owned(), peer, span.kind))
            .or_default() += 1;
    }
    told
}

#[test]
fn spans_sum_up_to_the_numbers_that_they_are_made_of() {
    let metrics = metrics(&[("shop", vec![measured(711.0, 1.0025, 85.0)])]);
    let spans = Sender::new(&[], &[&metrics]).spans(&metrics, 0, BEGIN);
    assert_eq!(spans.len(), 711);
    let failed = spans.iter().filter(|it| it.status == SpanStatus::Error);
    assert_eq!(failed.count(), 1);
    let mut took: Vec<f64> = spans
        .iter()
        .map(|it| it.duration().as_secs_f64() * 1e3)
        .collect();
    let mean = took.iter().sum::<f64>() / 711.0;
    assert!((mean - 85.0).abs() < 1e-3, "{mean}");
    took.sort_by(f64::total_cmp);
    // The percentiles are as far from each other as they were told.
    let [half, most, all] = [355, 640, 705].map(|at| took[at]);
    assert!((most / half - 90.0 / 40.0).abs() < 0.05, "{half} {most}");
    assert!((all / half - 400.0 / 40.0).abs() < 0.2, "{half} {all}");
    let end = BEGIN.plus(STEP);
    assert!(
        spans
            .iter()
            .all(|it| it.start >= BEGIN && it.start < end && it.parent_id.is_none())
    );
    let minute = |span: &&Span| span.start.0 / 60_000_000_000 == BEGIN.0 / 60_000_000_000;
    assert_eq!(spans.iter().filter(minute).count(), 142);
    let ids: BTreeSet<_> = spans.iter().map(|it| it.span_id).collect();
    assert_eq!(ids.len(), 711);
}

#[test]
fn what_only_clients_tell_of_is_told_by_them_and_hops_of_which_nobody_heard_by_nobody() {
    let step = |count: f64| vec![measured(count, 0.0, 10.0); 13];
    let metrics = metrics(&[
        ("shop", step(9.0)),
        ("stock", step(4.0)),
        ("bank_remote", step(6.0)),
        ("cron_client", step(3.0)),
        ("never", step(0.0)),
    ]);
    let calls = calls_of(&[
        ("shop", "never"),
        ("never", "stock"),
        ("shop", "bank_remote"),
        ("stock", "bank_remote"),
        ("cron_client", "shop"),
    ]);
    let mut sender = Sender::new(&calls, &[&metrics]);
    let spans = sender.spans(&metrics, 0, BEGIN);
    let own = |from: &str, to: &str, kind: SpanKind, count: usize| {
        ((from.to_owned(), to.to_owned(), kind), count)
    };
    let mut expected = HashMap::from([
        own("shop", "", SpanKind::Server, 9),
        own("stock", "", SpanKind::Server, 4),
        own("shop", "bank_remote", SpanKind::Client, 3),
        own("stock", "bank_remote", SpanKind::Client, 3),
        own("cron_client", "shop", SpanKind::Client, 3),
        own("shop", "stock", SpanKind::Client, 1),
    ]);
    assert_eq!(told(&spans), expected);
    // Neighbours share what says who they are.
    let mut services: Vec<&str> = spans.iter().map(Span::service).collect();
    services.dedup();
    assert_eq!(services, ["cron_client", "shop", "stock"]);

    // That the shop asks the stock is said again in the next hour, and not before.
    let key = ("shop".to_owned(), "stock".to_owned(), SpanKind::Client);
    let later = |step: usize| BEGIN.plus(STEP * u32::try_from(step).unwrap());
    let again = told(&sender.spans(&metrics, 12, later(12)));
    assert_eq!(again.get(&key), Some(&1));
    expected.remove(&key);
    let within = told(&sender.spans(&metrics, 1, later(1)));
    assert_eq!(within, expected);
}
