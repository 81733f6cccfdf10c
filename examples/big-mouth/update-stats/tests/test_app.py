import base64
import json
import os
import sys
import unittest
from unittest import mock

import boto3
from moto import mock_aws

ORDER = {"id": "o-7", "restaurant": "r-1", "total_cents": 1300}


class Handler(unittest.TestCase):
    def setUp(self):
        variables = {"STATS_TABLE": "stats", "RECEIPTS_BUCKET": "receipts", "AWS_DEFAULT_REGION": "us-east-1"}
        for patch in (mock.patch.dict(os.environ, variables), mock_aws()):
            patch.start()
            self.addCleanup(patch.stop)
        sys.modules.pop("app", None)
        boto3.client("s3").create_bucket(Bucket="receipts")
        boto3.client("dynamodb").create_table(
            TableName="stats",
            AttributeDefinitions=[{"AttributeName": "restaurant", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "restaurant", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def test_an_order_is_counted_and_has_a_receipt(self):
        import app

        record = {"kinesis": {"data": base64.b64encode(json.dumps(ORDER).encode()).decode()}}
        app.handler({"Records": [record, record]}, None)
        counted = app.stats.get_item(Key={"restaurant": "r-1"})["Item"]
        self.assertEqual((counted["orders"], counted["cents"]), (2, 2600))
        receipt = app.receipts.Object("orders/o-7.json").get()["Body"].read()
        self.assertEqual(json.loads(receipt), ORDER)
