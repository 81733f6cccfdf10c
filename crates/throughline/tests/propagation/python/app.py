"""Sends what the event asks for by every medium there is, to the functions of all languages; or tells which of these
messages it got."""

import base64
import functools
import json
import os
import re
import urllib.request

import boto3

CONSUMERS = ["node", "python", "rust"]
client = functools.cache(boto3.client)
URLS = json.loads(os.environ.get("FUNCTION_URLS", "{}"))


def queue(name):
    return "%s/123456789012/%s" % (os.environ["AWS_ENDPOINT_URL"], name)


def get(url):
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + os.environ["SECRET"]})
    with urllib.request.urlopen(request) as answer:
        answer.read()


def invoke(cell, kind):
    for to in CONSUMERS:
        client("lambda").invoke(FunctionName="to-" + to, InvocationType=kind, Payload=json.dumps({"cell": cell}))


def ten(cell):
    entries = [{"Id": str(n), "MessageBody": "%s.%d" % (cell, n)} for n in range(10)]
    for to in CONSUMERS:
        client("sqs").send_message_batch(QueueUrl=queue("ten-python-" + to), Entries=entries)


def publish(topic, cell):
    client("sns").publish(TopicArn="arn:aws:sns:us-east-1:123456789012:" + topic, Message=cell)


def put(source, cell):
    entry = {"Source": source, "DetailType": "cell", "Detail": json.dumps({"cell": cell})}
    client("events").put_events(Entries=[entry])


def kafka(cell):
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=os.environ["KAFKA"])
    producer.send("topic", cell.encode()).get(20)
    producer.close()


MEDIA = {
    "url": lambda cell: [get("%s/%s" % (URLS[to], cell)) for to in CONSUMERS],
    "api": lambda cell: [get("%s/to-%s/%s" % (os.environ["API"], to, cell)) for to in CONSUMERS],
    "invoke": lambda cell: invoke(cell, "RequestResponse"),
    "event": lambda cell: invoke(cell, "Event"),
    "sqs": lambda cell: [client("sqs").send_message(QueueUrl=queue("one-" + to), MessageBody=cell) for to in CONSUMERS],
    "ten": ten,
    "sns": lambda cell: publish("told", cell),
    "sns-sqs": lambda cell: publish("queued", cell),
    "bus": lambda cell: put("told", cell),
    "bus-sqs": lambda cell: put("queued", cell),
    "kinesis": lambda cell: client("kinesis").put_record(StreamName="stream", PartitionKey=cell, Data=cell.encode()),
    "table": lambda cell: client("dynamodb").put_item(TableName="table", Item={"id": {"S": cell}, "n": {"N": "7"}}),
    "bucket": lambda cell: [client("s3").put_object(Bucket="bucket", Key="%s/%s" % (to, cell), Body=b"x") for to in CONSUMERS],
    "kafka": kafka,
    "crowd": lambda cell: (
        client("sqs").send_message(QueueUrl=queue("crowd"), MessageBody=cell),
        publish("crowd", cell),
    ),
}


def handler(event, context):
    if "send" in event:
        print("sending with password=%s and %s" % (event["password"], os.environ["SECRET"]))
        MEDIA[event["send"]](event["cell"])
        return {"sent": event["cell"], "password": event["password"]}
    text = json.dumps(event)
    # Of records that come as base64 too.
    inner = re.findall('"(?:data|value)": "([A-Za-z0-9+/=]+)"', text)
    texts = [text, *(base64.b64decode(data).decode() for data in inner)]
    cells = dict.fromkeys(re.findall(r"cell\.[a-z-]+\.[a-z]+(?:\.\d+)?", " ".join(texts)))
    print("GOT", *cells)
    return {"statusCode": 200, "body": "got"}
