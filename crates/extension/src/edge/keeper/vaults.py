"""Secrets Manager and SSM for one test, with signatures and permissions checked. Ends when stdin does.

Prints one line of JSON: where it is, and the keys of a user who may read.
"""

import json
import logging
import os
import sys

# Everything is allowed for the calls that set the scene, and from then on only what a policy allows.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "6"

import boto3
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"


def client(service):
    return boto3.client(
        service, region_name="eu-west-1", endpoint_url=url, aws_access_key_id="setup", aws_secret_access_key="setup"
    )


iam, secrets, ssm = client("iam"), client("secretsmanager"), client("ssm")
iam.create_user(UserName="function")
allowed = {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue", "ssm:GetParameter"], "Resource": "*"}
policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
iam.put_user_policy(UserName="function", PolicyName="read", PolicyDocument=policy)
key = iam.create_access_key(UserName="function")["AccessKey"]
secrets.create_secret(Name="plain", SecretString="key-of-secret")
secrets.create_secret(Name="several", SecretString=json.dumps({"throughline": "key-of-member"}))
ssm.put_parameter(Name="/a/parameter", Type="SecureString", Value="key-of-parameter")
print(json.dumps({"url": url, "id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}), flush=True)
sys.stdin.read()
os._exit(0)
