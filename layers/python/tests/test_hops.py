"""From function to function through AWS's services, as moto's server plays them: each hop is carried by the header, or
both ends name the same key. THROUGHLINE_MOTO names moto's server; without it this test is skipped."""

import os
import time
import unittest
from pathlib import Path

from . import test_sandbox, world

MOTO = os.environ.get("THROUGHLINE_MOTO") or ""

SENDER = """
import json, os, boto3
sqs, sns, events, kinesis, s3 = map(boto3.client, ("sqs", "sns", "events", "kinesis", "s3"))
table = boto3.resource("dynamodb").Table("items")
def handler(event, context):
    queue = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    for n in range(10):
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"n": n}))
    bulk = sqs.get_queue_url(QueueName="bulk")["QueueUrl"]
    sqs.send_message_batch(QueueUrl=bulk, Entries=[{"Id": str(n), "MessageBody": "b%d" % n} for n in range(10)])
    topic = [t["TopicArn"] for t in sns.list_topics()["Topics"] if t["TopicArn"].endswith(":news")][0]
    sns.publish(TopicArn=topic, Message="hello")
    events.put_events(Entries=[{"Source": "shop", "DetailType": "placed", "Detail": "{}"}])
    kinesis.put_record(StreamName="clicks", Data=b"click", PartitionKey="1")
    table.put_item(Item={"id": "7", "n": 1, "tags": {"b", "a"}})
    s3.put_object(Bucket="receipts", Key="a b/c.txt", Body=b"x")
    return os.environ["_X_AMZN_TRACE_ID"]
"""
RECEIVER = "def handler(event, context):\n    print('had', len(event.get('Records', [event])))\n"
SOURCES = {
    "on-queue": 'sqs = "orders"\nwindow_seconds = 1',
    "on-bulk": 'sqs = "bulk"\nwindow_seconds = 1',
    "on-topic": 'sns = "news"',
    "on-bus": 'event_bridge = "default"\npattern = { source = ["shop"] }',
    "on-stream": 'kinesis = "clicks"',
    "on-table": 'dynamodb = "items"',
    "on-bucket": 's3 = "receipts"',
}
RESOURCES = """
[resources.orders]
type = "AWS::SQS::Queue"
[resources.bulk]
type = "AWS::SQS::Queue"
[resources.news]
type = "AWS::SNS::Topic"
[resources.clicks]
type = "AWS::Kinesis::Stream"
ShardCount = 1
[resources.receipts]
type = "AWS::S3::Bucket"
[resources.items]
type = "AWS::DynamoDB::Table"
BillingMode = "PAY_PER_REQUEST"
KeySchema = [{ AttributeName = "id", KeyType = "HASH" }]
AttributeDefinitions = [{ AttributeName = "id", AttributeType = "S" }]
StreamSpecification = { StreamViewType = "NEW_AND_OLD_IMAGES" }
"""
COUNTS = {name: 10 if "sqs" in source else 1 for name, source in SOURCES.items()}
# By which keys the two ends know each other.
KINDS = {
    "on-queue": {"sqs", "sqsbody"},
    "on-bulk": {"sqs", "sqsbody"},
    "on-topic": {"sns"},
    "on-bus": {"eb"},
    "on-stream": {"kin"},
    "on-table": {"ddbi"},
    "on-bucket": {"s3o"},
}


@unittest.skipUnless(MOTO and test_sandbox.BUILT, "THROUGHLINE_MOTO and THROUGHLINE_BIN do not name what it needs")
class Hops(test_sandbox.World):
    @classmethod
    def setUpClass(cls):
        moto = world.free_port()
        functions = {"start": SENDER, **{name: RECEIVER for name in SOURCES}}
        extra = RESOURCES + "".join("[[functions.%s.sources]]\n%s\n" % pair for pair in SOURCES.items())
        cls.prepare(functions, extra)
        cls.run_program([MOTO, "-p", str(moto)], "moto")
        cls.wait_for(moto)
        cls.run_world("--aws-endpoint", "http://127.0.0.1:%d" % moto)

    def messages(self, name):
        """How many the function has had: what is told of it may come late, the log does not."""
        log = (Path(self.folder.name) / "sandbox.log").read_text()
        return sum(int(line.rpartition("had ")[2]) for line in log.splitlines() if line.startswith(name) and "had " in line)

    def spans(self, name):
        """The layer's spans of a function, each in the trace that it was sent in: the whole story is told of any."""
        found = []
        for row in self.ask("traces?service=%s&limit=50" % name)["traces"]:
            for span in (self.ask("traces/" + row["trace_id"]) or {"spans": []})["spans"]:
                if span["service"] == name and span["scope"]["name"] == "throughline.python":
                    found.append(span)
        return found

    def test_every_hop(self):
        header = self.invoke({}, "start")
        until = time.monotonic() + 60
        while any(self.messages(name) < count for name, count in COUNTS.items()):
            self.assertLess(time.monotonic(), until, self.logs())
            time.sleep(0.2)
        # What a slow server did not take in time leaves at the end of the environments.
        self.ends[0]()
        received = {name: self.spans(name) for name in [*SOURCES, "start"]}
        sent = {key for span in received.pop("start") for key in span["attributes"].get("throughline.link.out", [])}
        for name, spans in received.items():
            with self.subTest(name):
                keys = {key for span in spans for key in span["attributes"]["throughline.link.in"]}
                self.assertEqual({key.partition(":")[0] for key in keys & sent}, KINDS[name])
        for name in set(received) - {"on-stream", "on-table"}:
            with self.subTest(name):
                self.assertEqual({span["trace_id"] for span in received[name]}, {test_sandbox.trace_id(header)})


if __name__ == "__main__":
    unittest.main()
