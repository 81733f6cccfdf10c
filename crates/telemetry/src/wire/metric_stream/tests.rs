use std::fmt::Write;

use expect_test::{Expect, expect};

use super::*;
use crate::model::{MetricPoint, Signal};
use crate::wire::{Request, metric_points};

/// As CloudWatch writes them; the second is the example of its manual.
const LINES: &str = r#"{"metric_stream_name":"queues","account_id":"123456789012","region":"eu-west-1","namespace":"AWS/SQS","metric_name":"ApproximateAgeOfOldestMessage","dimensions":{"QueueName":"mails"},"timestamp":1643916600000,"value":{"max":95.0,"min":90.0,"sum":185.0,"count":2.0},"unit":"Seconds"}
{"metric_stream_name":"MyMetricStream","account_id":"1234567890","region":"us-east-1","namespace":"AWS/EC2","metric_name":"DiskWriteOps","dimensions":{"InstanceId":"i-123456789012"},"timestamp":1611929698000,"value":{"count":3.0,"sum":20.0,"max":18.0,"min":0.0,"p99":17.56,"p99.9":17.8764,"TM(25%:75%)":16.43},"unit":"Seconds"}
{"metric_stream_name":"queues","account_id":"123456789012","region":"eu-west-1","namespace":"AWS/Logs","metric_name":"CallCount","dimensions":{},"timestamp":1643916600000,"value":{"max":1.0,"min":1.0,"sum":1.0,"count":1.0},"unit":"None"}
{"metric_stream_name":"queues","account_id":"123456789012","region":"eu-west-1","namespace":"AWS/SQS","metric_name":"ApproximateAgeOfOldestMessage","dimensions":{"QueueName":"bills"},"timestamp":1643916660000,"value":{"max":1.0,"min":1.0,"sum":1.0,"count":1.0},"unit":"Seconds"}
"#;

/// The first of the lines as a message of the other form.
fn message(queue: &str) -> Vec<u8> {
    let text =
        |key: &str, value: &str| serde_json::json!({"key": key, "value": {"stringValue": value}});
    let dimensions = serde_json::json!({"key": "Dimensions", "value": {"kvlistValue": {"values": [text("QueueName", queue)]}}});
    let arn = "arn:aws:cloudwatch:eu-west-1:123456789012:metric-stream/queues";
    let request = serde_json::json!({"resourceMetrics": [{
        "resource": {"attributes": [text("cloud.provider", "aws"), text("cloud.account.id", "123456789012"),
            text("cloud.region", "eu-west-1"), text("aws.exporter.arn", arn)]},
        "scopeMetrics": [{"metrics": [{"name": "amazonaws.com/AWS/SQS/ApproximateAgeOfOldestMessage", "unit": "s",
            "summary": {"dataPoints": [{
                "attributes": [text("Namespace", "AWS/SQS"), text("MetricName", "ApproximateAgeOfOldestMessage"), dimensions],
                "startTimeUnixNano": "1643916600000000000", "timeUnixNano": "1643916660000000000", "count": "2", "sum": 185.0,
                "quantileValues": [{"quantile": 0.0, "value": 90.0}, {"quantile": 1.0, "value": 95.0}]}]}}]}]}]});
    Request::json_to_protobuf(Signal::Metrics, request.to_string().as_bytes()).unwrap()
}

fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut record = Vec::new();
    for message in messages {
        prost::encode_length_delimiter(message.len(), &mut record).unwrap();
        record.extend_from_slice(message);
    }
    record
}

/// Of records, each of which has to be one of a metric stream.
fn read(records: &[&[u8]]) -> MetricStreamRead {
    let (mut stream, mut number) = (MetricStream::default(), 1);
    for record in records {
        number += stream.take(record, number).expect("a metric stream");
    }
    stream.finish()
}

fn points(request: &[u8]) -> Vec<MetricPoint> {
    let Request::Metrics(request) = Request::from_protobuf(Signal::Metrics, request).unwrap()
    else {
        unreachable!()
    };
    metric_points(request)
}

fn check(records: &[&[u8]], expect: Expect) {
    let read = read(records);
    let mut text = format!("{} read\n", read.read);
    for (first, request) in &read.requests {
        let _ = writeln!(text, "request from {first}");
        for point in points(request) {
            let MetricPoint {
                name,
                unit,
                kind,
                time,
                start,
                attributes,
                value,
                count,
                ..
            } = &point;
            let _ = writeln!(
                text,
                "  {name} {unit} {kind:?} {count} of {value}, {}..{}",
                start.0, time.0
            );
            let _ = writeln!(text, "    {:?}", attributes.iter().collect::<Vec<_>>());
        }
    }
    for (number, bad) in &read.problems {
        let _ = writeln!(text, "{number}: {bad}");
    }
    expect.assert_eq(&text);
}

#[test]
fn lines_become_what_the_other_form_has() {
    check(
        &[LINES.as_bytes()],
        expect![[r#"
        4 read
        request from 1
          amazonaws.com/AWS/EC2/DiskWriteOps s Summary 3 of 20, 1611929698000000000..1611929758000000000
            [("Namespace", String("AWS/EC2")), ("MetricName", String("DiskWriteOps")), ("Dimensions", Map(Attributes([("InstanceId", String("i-123456789012"))])))]
          amazonaws.com/AWS/Logs/CallCount 1 Summary 1 of 1, 1643916600000000000..1643916660000000000
            [("Namespace", String("AWS/Logs")), ("MetricName", String("CallCount")), ("Dimensions", Map(Attributes([])))]
          amazonaws.com/AWS/SQS/ApproximateAgeOfOldestMessage s Summary 2 of 185, 1643916600000000000..1643916660000000000
            [("Namespace", String("AWS/SQS")), ("MetricName", String("ApproximateAgeOfOldestMessage")), ("Dimensions", Map(Attributes([("QueueName", String("mails"))])))]
          amazonaws.com/AWS/SQS/ApproximateAgeOfOldestMessage s Summary 1 of 1, 1643916660000000000..1643916720000000000
            [("Namespace", String("AWS/SQS")), ("MetricName", String("ApproximateAgeOfOldestMessage")), ("Dimensions", Map(Attributes([("QueueName", String("bills"))])))]
    "#]],
    );
}

#[test]
fn messages_are_joined() {
    let two = framed(&[message("mails"), message("bills")]);
    let third = framed(&[message("dead")]);
    check(
        &[&two, &third],
        expect![[r#"
        3 read
        request from 1
          amazonaws.com/AWS/SQS/ApproximateAgeOfOldestMessage s Summary 2 of 185, 1643916600000000000..1643916660000000000
            [("Namespace", String("AWS/SQS")), ("MetricName", String("ApproximateAgeOfOldestMessage")), ("Dimensions", Map(Attributes([("QueueName", String("mails"))])))]
          amazonaws.com/AWS/SQS/ApproximateAgeOfOldestMessage s Summary 2 of 185, 1643916600000000000..1643916660000000000
            [("Namespace", String("AWS/SQS")), ("MetricName", String("ApproximateAgeOfOldestMessage")), ("Dimensions", Map(Attributes([("QueueName", String("bills"))])))]
          amazonaws.com/AWS/SQS/ApproximateAgeOfOldestMessage s Summary 2 of 185, 1643916600000000000..1643916660000000000
            [("Namespace", String("AWS/SQS")), ("MetricName", String("ApproximateAgeOfOldestMessage")), ("Dimensions", Map(Attributes([("QueueName", String("dead"))])))]
    "#]],
    );
}

#[test]
fn both_forms_are_one_metric() {
    let framed = framed(&[message("mails")]);
    let first = LINES.lines().next().unwrap();
    let [mut json, otlp] = [first.as_bytes(), &framed].map(|record| {
        let mut points = points(&read(&[record]).requests[0].1);
        points.remove(0)
    });
    // Only the stream is told otherwise.
    assert_eq!(
        otlp.resource.attributes.text("cloud.region"),
        Some("eu-west-1")
    );
    assert_eq!(
        json.resource.attributes.text("cloud.region"),
        Some("eu-west-1")
    );
    json.resource = otlp.resource.clone();
    assert_eq!(json, otlp);
}

#[test]
fn percentiles_are_quantiles_and_other_statistics_are_left_out() {
    let line = LINES.lines().nth(1).unwrap();
    let request = &read(&[line.as_bytes()]).requests[0].1;
    let Request::Metrics(request) = Request::from_protobuf(Signal::Metrics, request).unwrap()
    else {
        unreachable!()
    };
    let metric = &request.resource_metrics[0].scope_metrics[0].metrics[0];
    let Some(crate::wire::otlp::metrics::v1::metric::Data::Summary(summary)) = &metric.data else {
        unreachable!()
    };
    let known = summary.data_points[0].quantile_values.iter();
    let known: Vec<_> = known.map(|it| (it.quantile, it.value)).collect();
    assert_eq!(
        known,
        [(0.0, 0.0), (0.99, 17.56), (0.999, 17.8764), (1.0, 18.0)]
    );
}

#[test]
fn a_line_that_cannot_be_read_costs_no_other() {
    let good = LINES.lines().next().unwrap();
    let without = |from: &str, to: &str| good.replace(from, to);
    let long = without("mails", &"m".repeat(200_000));
    let lines = [
        &good[..60],
        good,
        r#"{"CHANGE":-0.09,"PRICE":4.96,"TICKER_SYMBOL":"KIN"}"#,
        "",
        &without(r#""sum":185.0,"#, ""),
        &without(r#""count":2.0"#, r#""count":-2.0"#),
        &without("1643916600000", "18446744073709551615"),
        &without(r#""sum":185.0"#, r#""sum":"much""#),
        &long,
        &without(r#""min":90.0"#, r#""min":null"#),
    ];
    check(
        &[lines.join("\n").as_bytes()],
        expect![[r#"
        2 read
        request from 2
          amazonaws.com/AWS/SQS/ApproximateAgeOfOldestMessage s Summary 2 of 185, 1643916600000000000..1643916660000000000
            [("Namespace", String("AWS/SQS")), ("MetricName", String("ApproximateAgeOfOldestMessage")), ("Dimensions", Map(Attributes([("QueueName", String("mails"))])))]
          amazonaws.com/AWS/SQS/ApproximateAgeOfOldestMessage s Summary 2 of 185, 1643916600000000000..1643916660000000000
            [("Namespace", String("AWS/SQS")), ("MetricName", String("ApproximateAgeOfOldestMessage")), ("Dimensions", Map(Attributes([("QueueName", String("mails"))])))]
        1: not a data point of a metric stream: EOF while parsing a string at line 1 column 60
        3: not a data point of a metric stream: missing field `metric_stream_name` at line 1 column 51
        4: the data point has no possible sum
        5: the data point has no possible count
        6: the data point has no possible timestamp
        7: not a data point of a metric stream: invalid type: string "much", expected f64 at line 1 column 252
        8: the line is longer than 131072 bytes
    "#]],
    );
}

#[test]
fn what_follows_a_wrong_length_is_lost_and_said_to_be() {
    let whole = framed(&[message("mails"), message("bills")]);
    let cut = &whole[..whole.len() - 9];
    let mut wrong = framed(&[message("mails")]);
    wrong.extend([0xff; 11]);
    let mut garbled = message("mails");
    let name = garbled.windows(5).position(|it| it == b"cloud").unwrap();
    garbled[name] = 0xff;
    let garbled = framed(&[garbled, message("bills")]);
    check(
        &[cut, &wrong, &garbled],
        expect![[r#"
        3 read
        request from 1
          amazonaws.com/AWS/SQS/ApproximateAgeOfOldestMessage s Summary 2 of 185, 1643916600000000000..1643916660000000000
            [("Namespace", String("AWS/SQS")), ("MetricName", String("ApproximateAgeOfOldestMessage")), ("Dimensions", Map(Attributes([("QueueName", String("mails"))])))]
          amazonaws.com/AWS/SQS/ApproximateAgeOfOldestMessage s Summary 2 of 185, 1643916600000000000..1643916660000000000
            [("Namespace", String("AWS/SQS")), ("MetricName", String("ApproximateAgeOfOldestMessage")), ("Dimensions", Map(Attributes([("QueueName", String("mails"))])))]
          amazonaws.com/AWS/SQS/ApproximateAgeOfOldestMessage s Summary 2 of 185, 1643916600000000000..1643916660000000000
            [("Namespace", String("AWS/SQS")), ("MetricName", String("ApproximateAgeOfOldestMessage")), ("Dimensions", Map(Attributes([("QueueName", String("bills"))])))]
        2: the record breaks off: 522 bytes are left of a message of 531
        4: no length of a message: failed to decode Protobuf message: invalid varint
        5: not a message of a metric stream: cannot decode metrics as protobuf: resourceMetrics[0].resource.attributes[0].key: not UTF-8
    "#]],
    );
}

#[test]
fn the_older_version_is_told() {
    let text = |number: u32, text: &str| {
        let mut out = Vec::new();
        prost::encoding::string::encode(number, &text.to_owned(), &mut out);
        out
    };
    let nested = |number: u32, parts: &[Vec<u8>]| {
        let mut out = Vec::new();
        prost::encoding::bytes::encode(number, &parts.concat(), &mut out);
        out
    };
    // `labels` of a data point were field 1 and had plain text.
    let label = nested(1, &[text(1, "Namespace"), text(2, "AWS/SQS")]);
    let mut sum = Vec::new();
    prost::encoding::double::encode(5, &1.0, &mut sum);
    let metric = nested(
        2,
        &[
            text(1, "amazonaws.com/AWS/SQS/X"),
            nested(11, &[nested(1, &[label, sum])]),
        ],
    );
    let resource = nested(
        1,
        &[nested(
            1,
            &[text(1, "cloud.provider"), nested(2, &[text(1, "aws")])],
        )],
    );
    let message = nested(1, &[resource, nested(2, &[metric])]);
    check(
        &[&framed(&[message])],
        expect![[r#"
        0 read
        1: the data points have no attributes, as in opentelemetry0.7: give the metric stream the output format opentelemetry1.0 or json
    "#]],
    );
}

#[test]
fn other_records_are_left_alone() {
    let others: [&[u8]; 10] = [
        b"",
        b"\n",
        b"START RequestId: 1\n",
        b"{\"level\":\"INFO\",\"event\":{\"metric_stream_name\":\"s\"}}\n",
        b"{\n  \"metric_name\": \"x\"\n}",
        // The second character is that of the first field, and the third is a length that fits.
        b"a\n1\nSTART RequestId: 1\n",
        b"}\n \n\n",
        b"\n\n\n\n\n\n\n\n\n\n\n\n\n",
        b"\x1f\x8b\x08\x00",
        b"{\"messageType\":\"DATA_MESSAGE\",\"logEvents\":[]}",
    ];
    for other in others {
        let taken = MetricStream::default().take(other, 1);
        assert_eq!(taken, None, "{}", other.escape_ascii());
    }
}

#[test]
fn keys_may_come_in_another_order() {
    let line = r#" {"unit":"Count","namespace":"Shop","metric_name":"Sold","timestamp":1,"value":{"sum":1,"count":1},"metric_stream_name":"s"}"#;
    check(
        &[line.as_bytes()],
        expect![[r#"
        1 read
        request from 1
          amazonaws.com/Shop/Sold {Count} Summary 1 of 1, 1000000..60001000000
            [("Namespace", String("Shop")), ("MetricName", String("Sold")), ("Dimensions", Map(Attributes([])))]
    "#]],
    );
}

#[test]
fn many_data_points_are_several_requests() {
    let line = LINES.lines().next().unwrap().to_owned() + "\n";
    let read = read(&[line.repeat(12_000).as_bytes()]);
    let of: Vec<_> = read
        .requests
        .iter()
        .map(|(first, request)| (*first, points(request).len()))
        .collect();
    assert_eq!(of, [(1, 5000), (5001, 5000), (10_001, 2000)]);
    assert_eq!(read.read, 12_000);
}

#[test]
fn long_lines_are_several_requests_sooner() {
    let long = format!("\"mails\",{}\"x\":\"\"", "\"x\":\"\",".repeat(15_000));
    let line = LINES.lines().next().unwrap().replace("\"mails\"", &long) + "\n";
    let read = read(&[line.repeat(100).as_bytes()]);
    let first: Vec<_> = read.requests.iter().map(|(first, _)| *first).collect();
    let a_request = ((4 << 20) / (line.len() - 1)) as u64;
    assert_eq!(first[..2], [1, 1 + a_request]);
    assert_eq!((read.read, read.problems_total), (100, 0));
}

#[test]
fn problems_are_counted_beyond_those_that_are_told() {
    let lines = "{\"metric_stream_name\"\n".repeat(1000);
    let read = read(&[lines.as_bytes()]);
    assert_eq!((read.problems.len(), read.problems_total), (100, 1000));
    assert_eq!((read.requests.len(), read.read), (0, 0));
}

/// A row of two bytes takes a hundred in memory.
#[test]
fn what_takes_too_much_memory_is_refused() {
    let points = [0x0a, 0x00].repeat(2_000_000);
    let nested = |number: u32, part: Vec<u8>| {
        let mut out = Vec::new();
        prost::encoding::bytes::encode(number, &part, &mut out);
        out
    };
    let scope = nested(2, nested(2, nested(11, points)));
    let read = read(&[&framed(&[nested(1, scope)])]);
    assert!(
        matches!(read.problems[..], [(1, BadPiece::NotOtlp(_))]),
        "{:?}",
        read.problems
    );
    assert_eq!(read.requests.len(), 0);
}
