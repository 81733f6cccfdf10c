//! More than a small function's budget, while nobody takes anything.

use futures_util::future::join_all;
use throughline_testkit::intake::{Answer, FakeIntake};

use super::HEADER;
use super::lambda::{Extension, FakeLambda, Telemetry};

/// 5 % of 128 MB. Beside what waits there are the buffers of the connections, what sixteen exports
/// take while they are read, and what the allocator keeps.
const BUDGET_BYTES: u64 = 128 * (1 << 20) / 20;

/// About 150 KB of spans, which do not pack well.
fn export(number: u64) -> String {
    let spans: Vec<String> = (0..400)
        .map(|at| {
            let id = (number * 1000 + at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let value = format!("{:016x}{:016x}", id.rotate_left(7), id.wrapping_mul(id));
            format!(
                r#"{{"traceId":"{:032x}","spanId":"{id:016x}","name":"span {id:x}","attributes":[{{"key":"a.key","value":{{"stringValue":"{value}"}}}},{{"key":"another.key","value":{{"stringValue":"{value}{value}"}}}}]}}"#,
                u128::from(id) * 3 + 1
            )
        })
        .collect();
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#,
        spans.join(",")
    )
}

#[tokio::test]
async fn a_flood_stays_within_the_budget_of_a_small_function() {
    let intake = FakeIntake::start().await;
    intake.answer(Answer::Hang).await;
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let variables = [
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("THROUGHLINE_SPILL_BYTES", "0"),
    ];
    let extension = Extension::start_with(&lambda, &intake.endpoint(), &variables);
    lambda.next_asked().await;
    // What one export takes while it is decoded, joined, scrubbed and packed is there before.
    assert_eq!(extension.export(&export(0)).await, 200);
    let before = extension.resident_bytes();
    lambda.invoke("r-1", Some(HEADER)).await;
    let mut statuses = std::collections::BTreeMap::<u16, u32>::new();
    for round in 0..25 {
        let bodies: Vec<String> = (0..16).map(|at| export(1 + round * 16 + at)).collect();
        let exports = bodies.iter().map(|body| extension.export(body));
        for status in join_all(exports).await {
            *statuses.entry(status).or_default() += 1;
        }
    }
    let grown = extension.resident_bytes().saturating_sub(before);
    println!("grown by {grown} bytes, budget {BUDGET_BYTES}, {statuses:?}");
    assert!(statuses.keys().all(|status| [200, 503].contains(status)));
    assert!(statuses[&200] > 100, "{statuses:?}");
    assert!(
        grown <= 2 * BUDGET_BYTES,
        "{grown} bytes more in memory, the budget is {BUDGET_BYTES}"
    );
}
