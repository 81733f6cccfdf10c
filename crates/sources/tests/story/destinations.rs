//! What is told of asynchronous invocations that ended.

use serde_json::json;
use throughline_sandbox::{EventDestinations, Invoke};

use super::streams::message;
use super::*;
use crate::moto::moto;

fn arn(service: &str, name: &str) -> Option<String> {
    Some(format!("arn:aws:{service}:us-east-1:123456789012:{name}"))
}

async fn begin(moto: &str, destinations: EventDestinations) -> Story {
    let code = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/story/function");
    let function = Function::new("f", code).timeout(Duration::from_secs(20));
    let sandbox = Sandbox::new().event_retry_delays([Duration::ZERO]);
    let story = Story::try_begin(moto, sandbox, function.destinations(destinations)).await;
    story.unwrap_or_else(|error| panic!("{error}"))
}

fn queue(story: &Story, text: &str) -> String {
    let event = json!({"Records": [{"body": text}]});
    let invoke = Invoke::new("f").payload(event.to_string());
    let invoke = invoke
        .trace_header("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
    story.sandbox.invoker().queue(invoke).unwrap()
}

#[tokio::test]
async fn queue_hears_of_a_failure_and_the_dead_letter_is_the_event_itself() {
    let Some(moto) = moto() else { return };
    let aws = Aws::connect(endpoint(moto)).await;
    let mut urls = Vec::new();
    for name in ["told", "letters"] {
        let created = aws
            .sqs
            .create_queue()
            .queue_name(name)
            .send()
            .await
            .unwrap();
        urls.push(created.queue_url.unwrap());
    }
    let destinations = EventDestinations {
        on_failure: arn("sqs", "told"),
        dead_letter: arn("sqs", "letters"),
        on_success: None,
    };
    let story = begin(moto, destinations).await;
    queue(&story, "this succeeds");
    let request_id = queue(&story, "fail 9 destination");

    let told = message(&aws, &urls[0]).await;
    let header = told.attributes().unwrap()[&"AWSTraceHeader".into()].clone();
    assert!(
        header.starts_with("Root=1-5759e988-bd862e3fe1be46a994272793;"),
        "{header}"
    );
    let record: Value = serde_json::from_str(told.body().unwrap()).unwrap();
    assert_eq!(record["requestContext"]["requestId"], request_id);
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(
        record["requestPayload"]["Records"][0]["body"],
        "fail 9 destination"
    );
    assert_eq!(record["responsePayload"]["errorType"], "Sour");

    let letter = message(&aws, &urls[1]).await;
    let event: Value = serde_json::from_str(letter.body().unwrap()).unwrap();
    assert_eq!(event, record["requestPayload"]);
    let attribute = |name: &str| {
        letter.message_attributes().unwrap()[name]
            .string_value()
            .unwrap()
            .to_owned()
    };
    assert_eq!(attribute("RequestID"), request_id);
    assert_eq!(attribute("ErrorCode"), "200");
    assert_eq!(attribute("ErrorMessage"), "a record says so");
    story.end().await;
}

#[tokio::test]
async fn topic_hears_of_a_success_and_a_bucket_of_a_failure() {
    let Some(moto) = moto() else { return };
    let aws = Aws::connect(endpoint(moto)).await;
    let created = aws
        .sqs
        .create_queue()
        .queue_name("heard")
        .send()
        .await
        .unwrap();
    let topic = aws
        .sns
        .create_topic()
        .name("successes")
        .send()
        .await
        .unwrap();
    let subscribe = aws
        .sns
        .subscribe()
        .topic_arn(topic.topic_arn.unwrap())
        .protocol("sqs");
    let subscribe = subscribe.endpoint(arn("sqs", "heard").unwrap());
    subscribe
        .attributes("RawMessageDelivery", "true")
        .send()
        .await
        .unwrap();
    aws.s3
        .create_bucket()
        .bucket("failures")
        .send()
        .await
        .unwrap();
    let destinations = EventDestinations {
        on_success: arn("sns", "successes"),
        on_failure: Some("arn:aws:s3:::failures".to_owned()),
        dead_letter: None,
    };
    let story = begin(moto, destinations).await;
    let success = queue(&story, "fine");
    let failure = queue(&story, "fail 9 bucket");

    let told = message(&aws, &created.queue_url.unwrap()).await;
    let record: Value = serde_json::from_str(told.body().unwrap()).unwrap();
    assert_eq!(record["requestContext"]["requestId"], success);
    assert_eq!(record["requestContext"]["condition"], "Success");

    let key = eventually("an object is there", || async {
        let listed = aws
            .s3
            .list_objects_v2()
            .bucket("failures")
            .send()
            .await
            .unwrap();
        listed
            .contents()
            .first()
            .and_then(|object| object.key.clone())
    })
    .await;
    assert!(key.starts_with("aws/lambda/async/f/20"), "{key}");
    let object = aws
        .s3
        .get_object()
        .bucket("failures")
        .key(key)
        .send()
        .await
        .unwrap();
    let object = object.body.collect().await.unwrap().into_bytes();
    let record: Value = serde_json::from_slice(&object).unwrap();
    assert_eq!(record["requestContext"]["requestId"], failure);
    story.end().await;
}

#[tokio::test]
async fn bus_hears_of_a_success_as_an_event_of_lambda() {
    let Some(moto) = moto() else { return };
    let aws = Aws::connect(endpoint(moto)).await;
    aws.events
        .create_event_bus()
        .name("results")
        .send()
        .await
        .unwrap();
    let created = aws
        .sqs
        .create_queue()
        .queue_name("results")
        .send()
        .await
        .unwrap();
    let rule = aws.events.put_rule().name("all").event_bus_name("results");
    rule.event_pattern(r#"{"source":["lambda"]}"#)
        .send()
        .await
        .unwrap();
    let target = aws_sdk_eventbridge::types::Target::builder()
        .id("queue")
        .arn(arn("sqs", "results").unwrap());
    let targets = aws
        .events
        .put_targets()
        .rule("all")
        .event_bus_name("results");
    targets
        .targets(target.build().unwrap())
        .send()
        .await
        .unwrap();
    let destinations = EventDestinations {
        on_success: arn("events", "event-bus/results"),
        ..EventDestinations::default()
    };
    let story = begin(moto, destinations).await;
    queue(&story, "fine");
    let told = message(&aws, &created.queue_url.unwrap()).await;
    let event: Value = serde_json::from_str(told.body().unwrap()).unwrap();
    assert_eq!(
        event["detail-type"],
        "Lambda Function Invocation Result - Success"
    );
    assert_eq!(event["detail"]["requestContext"]["condition"], "Success");
    assert_eq!(
        event["resources"][1],
        "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST"
    );
    story.end().await;
}
