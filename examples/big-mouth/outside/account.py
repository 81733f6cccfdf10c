"""The functions as the account has them, each with a role of its own, so that something can be done about them.

Here nobody is asked for permissions, as moto does unless it is told otherwise. What a policy of a function's role denies
is refused all the same, with the conditions of `scripts/moto_server.py`: calls of DynamoDB and SQS by a function of the
sandbox, which says by its session token which one it is.
"""

import io
import json
import zipfile

from moto.backends import get_backend
from moto.iam.exceptions import ValidationError
from moto.iam.responses import IamResponse

ACCOUNT, REGION = "123456789012", "us-east-1"
# How the session tokens of functions begin.
TOKEN = "sandbox."
SERVICES = {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs"}
ROLE = "{}-role"


def deploy(url, functions):
    """Makes functions and their roles, as `throughline.toml` describes them."""
    import boto3  # takes half a second, and nobody else needs it

    keys = {"region_name": REGION, "aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
    iam, lambdas = (boto3.client(name, endpoint_url=url, **keys) for name in ("iam", "lambda"))
    may = lambda principal, action: {"Effect": "Allow", "Action": action, **principal}
    policy = lambda statement: json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    trust = policy(may({"Principal": {"Service": "lambda.amazonaws.com"}}, "sts:AssumeRole"))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("nothing", "the sandbox runs the functions")
    for name, function in functions.items():
        role = iam.create_role(RoleName=ROLE.format(name), AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(RoleName=ROLE.format(name), PolicyName="all", PolicyDocument=policy(may({"Resource": "*"}, "*")))
        lambdas.create_function(
            FunctionName=name,
            Runtime=function["runtime"],
            Handler=function.get("handler", "bootstrap"),
            Role=role,
            Code={"ZipFile": code.getvalue()},
            MemorySize=function["memory_mb"],
            Timeout=function["timeout_seconds"],
        )


def refusal(environ, read, launcher):
    """What AWS answers to a call that a policy of the function's role denies; None to any other."""
    function = environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "").partition(TOKEN)[2]
    service, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
    if not function or service not in SERVICES:
        return None
    action = f"{SERVICES[service]}:{operation}"
    denials = [it for it in statements(function) if it["Effect"] == "Deny"]
    place = f"{REGION}:{ACCOUNT}"
    arns = launcher.touched(json.loads(read() or b"{}"), place) if denials else []
    if not any(launcher.denies(it, action, arns, f"arn:aws:lambda:{place}:function:{function}") for it in denials):
        return None
    role = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE.format(function)}/{function}"
    return {
        "__type": "com.amazon.coral.service#AccessDeniedException",
        "Message": f"User: {role} is not authorized to perform: {action} on resource: {arns[0]} with an explicit deny in an "
        "identity-based policy",
    }


def simulate_principal_policy(self):
    """Moto has none, and tells whoever started it so in fifty lines."""
    raise ValidationError("this account is pretended, and simulates no policies")


IamResponse.simulate_principal_policy = simulate_principal_policy


def statements(function):
    """Of the inline policies of its role."""
    roles = get_backend("iam")[ACCOUNT]["aws"].roles.values()
    policies = [policy for role in list(roles) if role.name == ROLE.format(function) for policy in list(role.policies.values())]
    return [statement for policy in policies for statement in json.loads(policy)["Statement"]]
