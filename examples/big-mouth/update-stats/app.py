"""Counts what restaurants sell, and writes the receipts. Invoked by the stream of accepted orders."""

import base64
import json
import logging
import os

import boto3

log = logging.getLogger()
log.setLevel(logging.INFO)
logging.getLogger("botocore").setLevel(logging.WARNING)

stats = boto3.resource("dynamodb").Table(os.environ["STATS_TABLE"])
receipts = boto3.resource("s3").Bucket(os.environ["RECEIPTS_BUCKET"])


def handler(event, context):
    for record in event["Records"]:
        order = json.loads(base64.b64decode(record["kinesis"]["data"]))
        count(order)
        receipts.put_object(Key=f"orders/{order['id']}.json", Body=json.dumps(order), ContentType="application/json")
        log.info("receipt written order=%s restaurant=%s", order["id"], order["restaurant"])


def count(order):
    stats.update_item(
        Key={"restaurant": order["restaurant"]},
        UpdateExpression="ADD orders :one, cents :total",
        ExpressionAttributeValues={":one": 1, ":total": order["total_cents"]},
    )
