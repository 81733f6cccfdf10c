"""Sends what the event asks for by every medium there is, to the functions of all languages; or tells which of these
messages it got. What it sends by is loaded when it is needed, since whoever only gets needs none of it."""

import base64
import functools
import json
import logging
import os
import re
import urllib.request

# Unlike what is printed, these lines name their invocation, however quickly one follows the other.
logging.getLogger().setLevel(logging.INFO)
CONSUMERS = ["node", "python", "rust"]
URLS = json.loads(os.environ.get("FUNCTION_URLS", "{}"))


@functools.cache
def client(service):
    import boto3

    return boto3.client(service)


def queue(name):
    return "%s/123456789012/%s" % (os.environ["AWS_ENDPOINT_URL"], name)


def get(url):
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + os.environ["SECRET"]})
    with urllib.request.urlopen(request) as answer:
        answer.read()


def invoke(body, kind):
    for to in CONSUMERS:
        client("lambda").invoke(FunctionName="to-" + to, InvocationType=kind, Payload=body)


def send(name, body):
    client("sqs").send_message(QueueUrl=queue(name), MessageBody=body)


def ten(cell, *_):
    entries = [{"Id": str(n), "MessageBody": "%s.%d" % (cell, n)} for n in range(10)]
    for to in CONSUMERS:
        client("sqs").send_message_batch(QueueUrl=queue("ten-python-" + to), Entries=entries)


def publish(topic, body):
    client("sns").publish(TopicArn="arn:aws:sns:us-east-1:123456789012:" + topic, Message=body)


def put(source, body, bus="default"):
    client("events").put_events(Entries=[{"EventBusName": bus, "Source": source, "DetailType": "cell", "Detail": body}])


def table(cell, body, event):
    client("dynamodb").put_item(TableName="table", Item={"id": {"S": cell}, "password": {"S": event["password"]}})


def bucket(cell, body, _):
    for to in CONSUMERS:
        client("s3").put_object(Bucket="bucket", Key="%s/%s" % (to, cell), Body=body.encode())


def kafka(cell, body, _):
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=os.environ["KAFKA"])
    producer.send("topic", body.encode()).get(20)
    producer.close()


def amqp(cell, body, _):
    import pika

    host, port = os.environ["RABBITMQ"].split(":")
    connection = pika.BlockingConnection(pika.ConnectionParameters(host, int(port)))
    channel = connection.channel()
    for to in CONSUMERS:
        channel.basic_publish("", "cells-" + to, body.encode())
    connection.close()


def postgres(cell, _, event):
    import psycopg

    with psycopg.connect("postgresql://postgres@%s/postgres" % os.environ["POSTGRES"]) as connection:
        connection.execute("SELECT '%s' AS cell, '%s' AS password" % (cell, event["password"]))


def mariadb(cell, _, event):
    import pymysql

    host, port = os.environ["MARIADB"].split(":")
    connection = pymysql.connect(host=host, port=int(port), user="root", database="shop")
    connection.cursor().execute("SELECT %s AS cell, %s AS password", (cell, event["password"]))
    connection.close()


def mongodb(cell, _, event):
    import pymongo

    pymongo.MongoClient("mongodb://" + os.environ["MONGODB"]).shop.cells.insert_one({"cell": cell, "password": event["password"]})


def redis(cell, _, event):
    import redis as driver

    driver.Redis.from_url("redis://" + os.environ["REDIS"]).set(cell, event["password"])


MEDIA = {
    "url": lambda cell, *_: [get("%s/%s" % (URLS[to], cell)) for to in CONSUMERS],
    "api": lambda cell, *_: [get("%s/to-%s/%s" % (os.environ["API"], to, cell)) for to in CONSUMERS],
    "invoke": lambda cell, body, _: invoke(body, "RequestResponse"),
    "event": lambda cell, body, _: invoke(body, "Event"),
    "sqs": lambda cell, body, _: [send("one-" + to, body) for to in CONSUMERS],
    "redriven": lambda cell, body, _: [send("poison-" + to, body) for to in CONSUMERS],
    "ten": ten,
    "sns": lambda cell, body, _: publish("told", body),
    "sns-sqs": lambda cell, body, _: publish("queued", body),
    "bus": lambda cell, body, _: put("told", body),
    "bus-sqs": lambda cell, body, _: put("queued", body),
    "replayed": lambda cell, body, _: put("kept", body, "kept"),
    "kinesis": lambda cell, body, _: client("kinesis").put_record(StreamName="stream", PartitionKey=cell, Data=body.encode()),
    "table": table,
    "bucket": bucket,
    "kafka": kafka,
    "amqp": amqp,
    "postgres": postgres,
    "mariadb": mariadb,
    "mongodb": mongodb,
    "redis": redis,
    "crowd": lambda cell, body, _: (send("crowd", body), publish("crowd", body)),
}


def handler(event, context):
    if "send" in event:
        logging.info("sending %s with password=%s and %s", event["cell"], event["password"], os.environ["SECRET"])
        body = json.dumps({"cell": event["cell"], "password": event["password"]})
        MEDIA[event["send"]](event["cell"], body, event)
        return {"sent": event["cell"], "password": event["password"]}
    text = json.dumps(event)
    # What was put back comes by way of another queue.
    if ":poison-" in text:
        logging.info("POISON")
        raise ValueError("cannot be worked on")
    # What is replayed is worked on then, and not before.
    if event.get("source") == "kept" and "replay-name" not in event:
        return "not yet"
    # Of records that come as base64 too.
    inner = re.findall('"(?:data|value)": "([A-Za-z0-9+/=]+)"', text)
    texts = [text, *(base64.b64decode(data).decode() for data in inner)]
    cells = dict.fromkeys(re.findall(r"cell\.[a-z-]+\.[a-z]+(?:\.\d+)?", " ".join(texts)))
    logging.info("GOT %s", " ".join(cells))
    return {"statusCode": 200, "body": "got"}
