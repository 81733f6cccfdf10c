import json
import smtplib
import subprocess
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request

from traffic.misbehave import Outside

HEADERS = {"authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
           "content-type": "application/x-amz-json-1.0"}


class WhatIsOutside(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        command = [sys.executable, "-m", "outside", "--any-port"]
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

    def test_mails_are_kept(self):
        with smtplib.SMTP(urllib.parse.urlsplit(self.addresses["smtp"]).netloc) as server:
            server.sendmail("a@example.com", ["b@example.com"], "Subject: Your order o-7\r\nTo: b@example.com\r\n\r\n.dot")
        with urllib.request.urlopen(f"{self.addresses['mail']}/mails?subject=Your+order+o-7") as response:
            mails = json.load(response)["mails"]
        self.assertEqual([mail["to"] for mail in mails], ["b@example.com"])
