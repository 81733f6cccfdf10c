"""The subscription of the queue `notifications` to the topic `orders-placed`, as throughline.toml has it."""

import json
import tomllib

from traffic.deploy import HERE

NAME = "to-notifications"


def begin(aws_url):
    """Subscribes the queue; one that is subscribed stays so."""
    wanted = properties()
    topic, protocol, endpoint = (wanted.pop(name) for name in ("TopicArn", "Protocol", "Endpoint"))
    # What else a definition says are attributes, which SNS takes as texts.
    attributes = {name: value if isinstance(value, str) else json.dumps(value) for name, value in wanted.items()}
    sns(aws_url).subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)


def end(aws_url):
    wanted, client = properties(), sns(aws_url)
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=wanted["TopicArn"])
    for found in [it for page in pages for it in page["Subscriptions"]]:
        if (found["Protocol"], found["Endpoint"]) == (wanted["Protocol"], wanted["Endpoint"]):
            client.unsubscribe(SubscriptionArn=found["SubscriptionArn"])


def properties():
    resource = tomllib.loads((HERE / "throughline.toml").read_text())["resources"][NAME]
    return {name: value for name, value in resource.items() if name != "type"}


def sns(aws_url):
    import boto3  # slow to import, and only this needs it

    keys = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("sns", endpoint_url=aws_url, **keys)
