"""An account at moto for the tests: sets it up and prints what is in it, or says what AWS decides of one write.

account.py setup URL ACTIONS   ACTIONS: what the actuator's role allows, with commas
account.py state URL           what actions change, as the account has it
account.py trust URL           everybody may do everything from now on
"""

import io
import json
import sys
import urllib.request
import zipfile

import boto3

URL = sys.argv[2]
# That of the sandbox.
REGION = "us-east-1"
ROOT = {"region_name": REGION, "endpoint_url": URL, "aws_access_key_id": "root", "aws_secret_access_key": "root"}


def client(name, **more):
    return boto3.client(name, **{**ROOT, **more})


def enforce(count):
    plain = {"Content-Type": "text/plain"}
    request = urllib.request.Request(URL + "/moto-api/reset-auth", data=str(count).encode(), headers=plain)
    return json.load(urllib.request.urlopen(request))["PREVIOUS_INITIAL_NO_AUTH_ACTION_COUNT"]


def statement(actions):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})


def setup(actions):
    iam, sts, functions, sqs = client("iam"), client("sts"), client("lambda"), client("sqs")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    # Two functions share a role, as they often do.
    role = iam.create_role(RoleName="shop-role", Path="/service-role/", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="shop-role", PolicyName="all", PolicyDocument=statement(["dynamodb:*"]))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("index.py", "")
    for name in ("pay", "mail"):
        functions.create_function(FunctionName=name, Runtime="python3.12", Role=role, Handler="index.handler",
                                  Code={"ZipFile": code.getvalue()}, MemorySize=512)
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    source = functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="pay")["UUID"]
    for table in ("users", "orders"):
        client("dynamodb").create_table(
            TableName=table, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])
    # Lambda names a function's session after the function.
    keys = {name: sts.assume_role(RoleArn=role, RoleSessionName=name)["Credentials"] for name in ("pay", "mail")}
    iam.create_user(UserName="actuator")
    iam.put_user_policy(UserName="actuator", PolicyName="p", PolicyDocument=statement(actions.split(",")))
    key = iam.create_access_key(UserName="actuator")["AccessKey"]
    keys["actuator"] = {**key, "SessionToken": None}
    enforce(0)
    print(json.dumps({"source": source, "keys": {
        name: [it["AccessKeyId"], it["SecretAccessKey"], it["SessionToken"]] for name, it in keys.items()}}))


def state():
    before = enforce("inf")
    iam, functions = client("iam"), client("lambda")
    names = iam.list_role_policies(RoleName="shop-role")["PolicyNames"]
    documents = {name: iam.get_role_policy(RoleName="shop-role", PolicyName=name)["PolicyDocument"]
                 for name in names if name != "all"}
    sources = functions.list_event_source_mappings(FunctionName="pay")["EventSourceMappings"]
    print(json.dumps({
        "policies": documents,
        "concurrency": functions.get_function_concurrency(FunctionName="pay").get("ReservedConcurrentExecutions"),
        "memory": functions.get_function_configuration(FunctionName="pay")["MemorySize"],
        "sources": [it["State"] for it in sources],
    }, sort_keys=True))
    enforce(before)


def trust():
    enforce("inf")
    print("{}")


{"setup": lambda: setup(sys.argv[3]), "state": state, "trust": trust}[sys.argv[1]]()
