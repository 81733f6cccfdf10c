"""POST /orders: takes an order, charges the card and tells the restaurant by way of the topic `orders-placed`.

    {"user": "u-7", "restaurant": "r-3", "items": [{"dish": "ramen", "quantity": 2}], "voucher": "HALF"}

The order's number is the caller's `idempotency-key`, or a new one.
"""

import json
import logging
import os
import uuid

import boto3
from botocore.config import Config

import payment
from order import Refused, priced

log = logging.getLogger()
log.setLevel(logging.INFO)
logging.getLogger("botocore").setLevel(logging.WARNING)

retries = Config(retries={"mode": "standard", "max_attempts": 3})
tables = boto3.resource("dynamodb", config=retries)
users = tables.Table(os.environ["USERS_TABLE"])
restaurants = tables.Table(os.environ["RESTAURANTS_TABLE"])
orders = tables.Table(os.environ["ORDERS_TABLE"])
topic = boto3.resource("sns", config=retries).Topic(os.environ["ORDERS_TOPIC"])


def handler(event, context):
    try:
        order = place(json.loads(event["body"]), event["headers"].get("idempotency-key"))
    except Refused as refused:
        log.warning("order refused reason=%s", refused)
        return answer(refused.status, {"error": str(refused)})
    log.info("order placed order=%s restaurant=%s total_cents=%d", order["id"], order["restaurant"], order["total_cents"])
    return answer(201, {"order": order["id"], "status": "placed", "total_cents": order["total_cents"]})


def place(wanted, number):
    user = users.get_item(Key={"id": wanted["user"]}).get("Item")
    restaurant = restaurants.get_item(Key={"id": wanted["restaurant"]}).get("Item")
    order = priced(wanted, user, restaurant) | {"id": number or f"o-{uuid.uuid4().hex[:12]}"}
    order["payment"] = payment.charge(order["id"], user["card"], order["total_cents"])
    orders.put_item(Item=order | {"status": "placed"})
    topic.publish(Message=json.dumps(order))
    return order


def answer(status, body):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
