"""Makes the calls that the SDKs of the other languages make too, and prints what it got as one JSON object."""
import base64
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

LAMBDA = boto3.client(
    "lambda",
    endpoint_url=sys.argv[1],
    region_name="us-east-1",
    aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
    aws_secret_access_key="key",
    config=Config(retries={"total_max_attempts": 1}),
)


def whole():
    context = base64.b64encode(json.dumps({"custom": {"cart": "7"}}).encode()).decode()
    output = LAMBDA.invoke(FunctionName="f", Qualifier="$LATEST", LogType="Tail", ClientContext=context, Payload=b"{}")
    payload = json.load(output["Payload"])
    log = base64.b64decode(output["LogResult"]).decode()
    return {
        "status": output["StatusCode"],
        "version": output["ExecutedVersion"],
        "arn": payload["arn"],
        "custom": payload["custom"],
        "log": "two\nlines\n" in log and "REPORT RequestId: " + payload["request"] in log,
        "id": output["ResponseMetadata"]["RequestId"] == payload["request"],
    }


def failing():
    output = LAMBDA.invoke(FunctionName="f", Payload=json.dumps({"do": "throw"}))
    error = json.load(output["Payload"])
    return {"status": output["StatusCode"], "error": output["FunctionError"], "type": error["errorType"]}


def status(kind):
    return LAMBDA.invoke(FunctionName="later", InvocationType=kind, Payload=b"{}")["StatusCode"]


def stream(event):
    output = LAMBDA.invoke_with_response_stream(FunctionName="f", Payload=json.dumps(event))
    text, end = "", None
    for event in output["EventStream"]:
        if "PayloadChunk" in event:
            text += event["PayloadChunk"]["Payload"].decode()
        else:
            end = event["InvokeComplete"]
    return {"body": text.split("\0" * 8)[-1], "error": end.get("ErrorCode")}


def refused(call):
    try:
        call()
    except ClientError as error:
        return {
            "status": error.response["ResponseMetadata"]["HTTPStatusCode"],
            "type": error.response["Error"]["Code"],
            "modeled": type(error).__name__,
        }


def configuration():
    found = LAMBDA.get_function_configuration(FunctionName="f")
    return [found["FunctionName"], found["Runtime"], found["MemorySize"], found["Timeout"], found["State"]]


print(
    json.dumps(
        {
            "whole": whole(),
            "failing": failing(),
            "event": status("Event"),
            "dry run": status("DryRun"),
            "stream": stream({"do": "stream"}),
            "failing stream": stream({"do": "throw"}),
            "unknown": refused(lambda: LAMBDA.invoke(FunctionName="none")),
            "throttled": refused(lambda: LAMBDA.invoke(FunctionName="busy")),
            "too large": refused(lambda: LAMBDA.invoke(FunctionName="f", Payload=b" " * (6 * 1024 * 1024 + 1))),
            "no json": refused(lambda: LAMBDA.invoke(FunctionName="f", Payload=b"{")),
            "list": [one["FunctionName"] for one in LAMBDA.list_functions()["Functions"]],
            "paged": [
                one["FunctionName"]
                for page in LAMBDA.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1})
                for one in page["Functions"]
            ],
            "function": LAMBDA.get_function(FunctionName="f")["Configuration"]["FunctionArn"],
            "configuration": configuration(),
            "unknown function": refused(lambda: LAMBDA.get_function(FunctionName="none")),
            "not offered": refused(lambda: LAMBDA.delete_function(FunctionName="f")),
        }
    )
)
