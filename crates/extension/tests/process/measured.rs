//! Metrics over the wire.

use super::*;

#[tokio::test]
async fn an_invocation_is_measured() {
    let intake = FakeIntake::start().await;
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let on = [("THROUGHLINE_METRICS", "on")];
    let _extension = Extension::start_with(&lambda, &intake.endpoint(), &on);
    lambda.next_asked().await;
    lambda.invoke("r-1", Some(HEADER)).await;
    let time = lambda::iso_now();
    let line = format!(
        r#"[{{"time":"{time}","type":"function","record":"MONITORING|1795220640|8|count|orders"}}]"#
    );
    lambda.tell(&line).await;
    lambda.tell(&told("r-1")).await;
    lambda.next_asked().await;
    lambda.invoke("r-2", Some(HEADER)).await;
    lambda.tell(&report("r-1")).await;
    lambda.tell(&told("r-2")).await;
    lambda.next_asked().await;
    let all = |received: &Received| {
        let has = |name| received.metrics.iter().any(|point| point.name == name);
        has("throughline.cost") && has("orders")
    };
    let received = intake.wait_for("what the report says", all).await;
    let values = |name: &str| -> Vec<f64> {
        let of_name = received.metrics.iter().filter(|point| point.name == name);
        of_name.map(|point| point.value).collect()
    };
    assert_eq!(values("faas.coldstarts"), [1.0]);
    assert_eq!(values("orders"), [8.0]);
    assert_eq!(values("throughline.duration.billed"), [0.014]);
    assert_eq!(values("throughline.memory.size"), [268_435_456.0]);
    // Asked of this machine, at the end of each invocation that has arrived.
    let tmp = values("throughline.tmp.used");
    assert_eq!(tmp.len(), values("faas.invocations").len());
    assert!(tmp.iter().all(|bytes| *bytes > 0.0), "{tmp:?}");
}
