import json
import smtplib
import subprocess
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from traffic.misbehave import Outside

HEADERS = {"authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
           "content-type": "application/x-amz-json-1.0"}


class WhatIsOutside(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        command = [sys.executable, "-m", "outside", "--any-port", "--functions"]
        cls.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        cls.addresses = json.loads(cls.process.stdout.readline())
        cls.control = Outside(cls.addresses["aws"], cls.addresses["pay"])

    @classmethod
    def tearDownClass(cls):
        cls.process.stdin.close()
        cls.process.stdout.close()
        assert cls.process.wait(20) == 0

    def ask(self, url, body, headers=None):
        request = urllib.request.Request(url, json.dumps(body).encode(), headers or {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def pay(self, card):
        return self.ask(f"{self.addresses['pay']}/payments", {"order": "o-7", "card": card, "cents": 100})

    def get_user(self, table="users"):
        body = {"TableName": table, "Key": {"id": {"S": "u-1"}}}
        answer = self.ask(self.addresses["aws"], body, HEADERS | {"x-amz-target": "DynamoDB_20120810.GetItem"})
        return answer[0], answer[1]["__type"].rpartition("#")[2]

    def test_cards_are_charged_or_declined(self):
        self.assertEqual(self.pay("tok_1")[0], 201)
        self.assertEqual(self.pay("tok_declined"), (402, {"error": "declined"}))

    def test_only_the_table_that_is_named_is_throttled_and_only_meanwhile(self):
        missing = (400, "ResourceNotFoundException")
        self.assertEqual(self.get_user(), missing)
        self.control.throttle(1.0, seed=7)
        self.assertEqual(self.get_user(), (400, "ProvisionedThroughputExceededException"))
        self.assertEqual(self.get_user("orders"), missing)
        self.control.throttle(0, seed=7)
        self.assertEqual(self.get_user(), missing)

    def test_a_table_fails_while_another_is_throttled_and_neither_ends_the_other(self):
        missing = (400, "ResourceNotFoundException")
        throttled, failing = (400, "ProvisionedThroughputExceededException"), (500, "InternalServerError")
        self.control.throttle(1.0, seed=7)
        self.control.fail(0.6, seed=7)
        answers = [self.get_user("orders") for _ in range(100)]
        self.assertEqual(set(answers), {missing, failing})
        self.assertTrue(45 < answers.count(failing) < 75, answers.count(failing))
        self.assertEqual(self.get_user(), throttled)
        self.control.throttle(0, seed=7)
        self.assertEqual(self.get_user(), missing)
        self.assertIn(failing, [self.get_user("orders") for _ in range(20)])
        self.control.throttle(1.0, seed=7)
        self.control.fail(0, seed=7)
        self.assertEqual({self.get_user("orders") for _ in range(20)}, {missing})
        self.assertEqual(self.get_user(), throttled)
        self.control.throttle(0, seed=7)

    def test_a_call_that_fails_is_tried_again_three_times(self):
        keys = {"region_name": "us-east-1", "aws_access_key_id": "k", "aws_secret_access_key": "k"}
        as_place_order = Config(retries={"mode": "standard", "max_attempts": 3})
        tables = boto3.client("dynamodb", endpoint_url=self.addresses["aws"], config=as_place_order, **keys)
        self.control.fail(1.0, seed=7)
        with self.assertRaises(ClientError) as raised:
            tables.get_item(TableName="orders", Key={"id": {"S": "o-1"}})
        self.control.fail(0, seed=7)
        self.assertEqual(raised.exception.response["Error"]["Code"], "InternalServerError")
        self.assertEqual(raised.exception.response["ResponseMetadata"]["RetryAttempts"], 3)

    def test_what_is_told_to_the_topic_comes_into_the_queue_unless_it_is_unsubscribed(self):
        keys = {"region_name": "us-east-1", "aws_access_key_id": "k", "aws_secret_access_key": "k"}
        at = lambda name: boto3.client(name, endpoint_url=self.addresses["aws"], **keys)
        topic = at("sns").create_topic(Name="orders-placed")["TopicArn"]
        queues = {name: at("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("notifications", "archive")}
        arn = "arn:aws:sqs:us-east-1:123456789012:"
        subscribed = lambda name, **attributes: at("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn + name, Attributes=attributes)
        subscribed("archive", RawMessageDelivery="true")
        subscribed("notifications")

        def subscriptions():
            found = at("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
            of = lambda one: at("sns").get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])["Attributes"]
            return {it["Endpoint"]: of(it) | {"SubscriptionArn": "another each time"} for it in found}

        def arrived(text):
            at("sns").publish(TopicArn=topic, Message=text)
            take = lambda url: at("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            return {name for name, url in queues.items() if any(text in message["Body"] for message in take(url))}

        before = subscriptions()
        self.assertEqual(arrived("a"), {"notifications", "archive"})
        for _ in range(2):
            self.control.unsubscribe()
            self.assertEqual(arrived("b"), {"archive"})
            self.control.subscribe()
            self.control.subscribe()
            self.assertEqual(arrived("c"), {"notifications", "archive"})
            self.assertEqual(subscriptions(), before)

    def test_what_a_policy_of_its_role_denies_is_refused_to_that_function_alone(self):
        keys = {"region_name": "us-east-1", "aws_access_key_id": "k", "aws_secret_access_key": "k"}
        at = lambda name, **more: boto3.client(name, endpoint_url=self.addresses["aws"], **keys, **more)
        for table in ("denied", "other"):
            at("dynamodb").create_table(
                TableName=table, BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])
        role = at("lambda").get_function_configuration(FunctionName="update-stats")["Role"].rpartition("/")[2]
        own = "arn:aws:lambda:us-east-1:123456789012:function:update-stats"

        def deny(until="2999-01-01T00:00:00Z", function=own):
            statement = {"Effect": "Deny", "Action": ["dynamodb:PutItem"],
                         "Resource": ["arn:aws:dynamodb:us-east-1:123456789012:table/denied"],
                         "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": function},
                                       "DateLessThan": {"aws:CurrentTime": until}}}
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            at("iam").put_role_policy(RoleName=role, PolicyName="deny", PolicyDocument=document)

        def write(function="update-stats", table="denied"):
            tables = at("dynamodb", aws_session_token=f"sandbox.{function}")
            try:
                tables.put_item(TableName=table, Item={"id": {"S": "1"}})
            except ClientError as error:
                return error.response["Error"]["Code"]

        self.assertIsNone(write())
        deny()
        self.assertEqual(write(), "AccessDeniedException")
        self.assertIsNone(write(table="other"))
        self.assertIsNone(write("place-order"))
        self.assertIsNone(write("unknown"))
        deny(until="2026-01-01T00:00:00Z")
        self.assertIsNone(write())
        deny(function=own + "-2")
        self.assertIsNone(write())
        deny()
        at("iam").delete_role_policy(RoleName=role, PolicyName="deny")
        self.assertIsNone(write())

    def test_mails_are_kept(self):
        with smtplib.SMTP(urllib.parse.urlsplit(self.addresses["smtp"]).netloc) as server:
            server.sendmail("a@example.com", ["b@example.com"], "Subject: Your order o-7\r\nTo: b@example.com\r\n\r\n.dot")
        with urllib.request.urlopen(f"{self.addresses['mail']}/mails?subject=Your+order+o-7") as response:
            mails = json.load(response)["mails"]
        self.assertEqual([mail["to"] for mail in mails], ["b@example.com"])
