"""What AWS operations are about: the resource, and the ids by which the other end of a hop can be found."""

from .. import keys, spans

LINKS_MAX = 1000

# Operations that hand something over to whoever comes later: messaging.system, and the parameter that names it.
SENDS = {
    ("sqs", "SendMessage"): ("aws_sqs", "QueueUrl"),
    ("sqs", "SendMessageBatch"): ("aws_sqs", "QueueUrl"),
    ("sns", "Publish"): ("aws.sns", "TopicArn"),
    ("sns", "PublishBatch"): ("aws.sns", "TopicArn"),
    ("events", "PutEvents"): ("aws_eventbridge", "EventBusName"),
    ("kinesis", "PutRecord"): ("aws_kinesis", "StreamName"),
    ("kinesis", "PutRecords"): ("aws_kinesis", "StreamName"),
    ("firehose", "PutRecord"): ("aws_firehose", "DeliveryStreamName"),
    ("firehose", "PutRecordBatch"): ("aws_firehose", "DeliveryStreamName"),
}
# Parameters that name a resource, by service: `*` for every service.
RESOURCES = {
    "sqs": (("QueueUrl", "aws.sqs.queue.url"),),
    "sns": (("TopicArn", "aws.sns.topic.arn"), ("TargetArn", "aws.sns.topic.arn")),
    "s3": (("Bucket", "aws.s3.bucket"), ("Key", "aws.s3.key")),
    "kinesis": (("StreamName", "aws.kinesis.stream_name"), ("StreamARN", "aws.kinesis.stream_arn")),
    "firehose": (("DeliveryStreamName", "aws.firehose.delivery_stream_name"),),
    "events": (("EventBusName", "aws.eventbridge.bus_name"),),
    "lambda": (("FunctionName", "faas.invoked_name"),),
    "stepfunctions": (
        ("stateMachineArn", "aws.step_functions.state_machine.arn"),
        ("activityArn", "aws.step_functions.activity.arn"),
    ),
    "secretsmanager": (("SecretId", "aws.secretsmanager.secret.arn"),),
    "ssm": (("Name", "aws.ssm.parameter"), ("Path", "aws.ssm.parameter"), ("Names", "aws.ssm.parameter")),
    "kms": (("KeyId", "aws.kms.key"),),
    "scheduler": (("Name", "aws.scheduler.schedule"),),
    "ses": (("Source", "aws.ses.source"),),
    "cognito-idp": (("UserPoolId", "aws.cognito.user_pool"),),
    "logs": (("logGroupName", "aws.log.group.names"),),
    "cloudwatch": (("Namespace", "aws.cloudwatch.namespace"),),
}
S3_WRITES = (
    "PutObject",
    "CopyObject",
    "CompleteMultipartUpload",
    "DeleteObject",
    "DeleteObjects",
    "RestoreObject",
    "PutObjectTagging",
)
DYNAMODB_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")


def describe(service, meta, operation, parameters):
    """The name, the kind and the attributes of a call."""
    service_id = str(meta.service_model.service_id)
    attributes = {
        "rpc.system": "aws-api",
        "rpc.system.name": "aws-api",
        "rpc.service": service_id,
        "rpc.method": operation,
        "cloud.region": meta.region_name or "",
    }
    for parameter, name in RESOURCES.get(service, ()):
        value = parameters.get(parameter)
        if value:
            attributes[name] = list(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    kind, name = spans.CLIENT, "%s.%s" % (service_id, operation)
    send = SENDS.get((service, operation))
    if send is not None:
        system, parameter = send
        target = parameters.get(parameter) or parameters.get("StreamARN") or parameters.get("TargetArn") or ""
        if service == "events":
            entries = parameters.get("Entries") or [{}]
            target = entries[0].get("EventBusName") or "default"
            attributes["aws.eventbridge.bus_name"] = target
        destination = str(target).rpartition("/")[2].rpartition(":")[2]
        kind, name = spans.PRODUCER, "send " + (destination or operation)
        attributes["messaging.system"] = system
        attributes["messaging.operation.type"] = "send"
        attributes["messaging.operation.name"] = operation
        if destination:
            attributes["messaging.destination.name"] = destination
        count = _count(parameters)
        if count is not None:
            attributes["messaging.batch.message_count"] = count
    elif service == "dynamodb":
        tables = _tables(parameters)
        attributes["db.system.name"] = "aws.dynamodb"
        attributes["db.operation.name"] = operation
        if tables:
            attributes["aws.dynamodb.table_names"] = tables
            attributes["db.collection.name"] = tables[0]
        if parameters.get("IndexName"):
            attributes["aws.dynamodb.index_name"] = parameters["IndexName"]
    elif service == "lambda" and "FunctionName" in parameters:
        attributes["faas.invoked_name"] = function_name(str(parameters["FunctionName"]))
        attributes["faas.invoked_provider"] = "aws"
        attributes["faas.invoked_region"] = meta.region_name or ""
    return name, kind, attributes


def function_name(name):
    """The name in `NAME`, `NAME:ALIAS`, `ACCOUNT:function:NAME` and ARNs."""
    parts = name.split(":")
    return parts[parts.index("function") + 1] if "function" in parts[:-1] else parts[0]


def _count(parameters):
    for name in ("Entries", "Records", "PublishBatchRequestEntries"):
        rows = parameters.get(name)
        if isinstance(rows, (list, tuple)):
            return len(rows)
    return None


def _tables(parameters):
    table = parameters.get("TableName")
    if table:
        return [str(table)]
    if isinstance(parameters.get("RequestItems"), dict):
        return list(map(str, parameters["RequestItems"]))[:64]
    found = []
    for row in parameters.get("TransactItems") or ():
        for inner in row.values():
            if isinstance(inner, dict) and inner.get("TableName") not in found:
                found.append(inner.get("TableName"))
    return [str(table) for table in found[:64] if table]


def metadata(span, response):
    """What the answer says of itself."""
    said = response.get("ResponseMetadata") or {}
    if said.get("HTTPStatusCode"):
        span.attributes["http.response.status_code"] = said["HTTPStatusCode"]
    if said.get("RequestId"):
        span.attributes["aws.request_id"] = said["RequestId"]
    if said.get("HostId"):
        span.attributes["aws.extended_request_id"] = said["HostId"]
    return said


def answered(span, service, operation, parameters, response):
    """The ids in a parsed answer."""
    if not isinstance(response, dict):
        return
    said = metadata(span, response)
    found = []
    reader = READERS.get(service)
    if reader is not None:
        found = list(reader(span, operation, parameters, response, said))
    known = span.attributes.get("throughline.link.out") or []
    if found or known:
        span.attributes["throughline.link.out"] = (known + found)[:LINKS_MAX]
    if service == "dynamodb" and "ConsumedCapacity" not in response and "Count" in response:
        span.attributes["aws.dynamodb.count"] = response["Count"]
        span.attributes["aws.dynamodb.scanned_count"] = response.get("ScannedCount", response["Count"])


def _sqs(span, operation, parameters, response, said):
    rows = response.get("Successful") or []
    if operation == "SendMessage":
        rows = [response]
        span.attributes["messaging.message.id"] = response.get("MessageId", "")
    if operation in ("SendMessage", "SendMessageBatch"):
        for row in rows:
            yield "sqs:%s" % row.get("MessageId")
        for row in rows:
            if row.get("MD5OfMessageBody"):
                yield "sqsbody:%s" % row["MD5OfMessageBody"]
        _partly(span, response.get("Failed"))
    elif operation == "ReceiveMessage":
        span.attributes["messaging.batch.message_count"] = len(response.get("Messages") or ())


def _sns(span, operation, parameters, response, said):
    if operation == "Publish":
        span.attributes["messaging.message.id"] = response.get("MessageId", "")
        yield "sns:%s" % response.get("MessageId")
    for row in response.get("Successful") or ():
        yield "sns:%s" % row.get("MessageId")
    _partly(span, response.get("Failed"))


def _events(span, operation, parameters, response, said):
    # The answer has an entry for each that was sent, in the same order.
    for row, entry in zip(response.get("Entries") or (), parameters.get("Entries") or ()):
        if row.get("EventId"):
            yield "eb:%s" % row["EventId"]
            digest = keys.of_entry(entry)
            if digest:
                yield "ebd:" + digest
    _partly(span, [row for row in response.get("Entries") or () if row.get("ErrorCode")])


def _kinesis(span, operation, parameters, response, said):
    if operation not in ("PutRecord", "PutRecords"):
        return
    stream = parameters.get("StreamName") or str(parameters.get("StreamARN")).rpartition("/")[2]
    rows = response.get("Records") or [response]
    for row in rows:
        if row.get("SequenceNumber"):
            yield "kin:%s/%s/%s" % (stream, row.get("ShardId"), row["SequenceNumber"])
    _partly(span, [row for row in rows if row.get("ErrorCode")])


def _firehose(span, operation, parameters, response, said):
    for row in response.get("RequestResponses") or [response]:
        if row.get("RecordId"):
            yield "fh:%s" % row["RecordId"]


def _s3(span, operation, parameters, response, said):
    if operation not in S3_WRITES:
        return
    if said.get("RequestId"):
        yield "s3r:%s" % said["RequestId"]
    tag = response.get("ETag") or (response.get("CopyObjectResult") or {}).get("ETag")
    if tag:
        version = "/" + response["VersionId"] if response.get("VersionId") else ""
        yield "s3o:%s/%s/%s%s" % (parameters.get("Bucket"), parameters.get("Key"), str(tag).strip('"'), version)


def _lambda(span, operation, parameters, response, said):
    if operation in ("Invoke", "InvokeAsync", "InvokeWithResponseStream") and said.get("RequestId"):
        yield "lam:%s" % said["RequestId"]
    if response.get("FunctionError"):
        span.fail(str(response["FunctionError"]), "the invoked function failed")


def _steps(span, operation, parameters, response, said):
    if operation in ("StartExecution", "StartSyncExecution") and response.get("executionArn"):
        yield "sfn:%s" % response["executionArn"]


def _partly(span, failed):
    """Some of a batch may fail where the call as a whole does not."""
    if failed:
        first = failed[0]
        code = first.get("Code") or first.get("ErrorCode") or "BatchFailure"
        span.attributes["throughline.batch.failures"] = len(failed)
        span.fail(str(code), "%d of the batch failed" % len(failed))


READERS = {
    "sqs": _sqs,
    "sns": _sns,
    "events": _events,
    "kinesis": _kinesis,
    "firehose": _firehose,
    "s3": _s3,
    "lambda": _lambda,
    "stepfunctions": _steps,
}


def items(span, request):
    """The keys of what is written to DynamoDB, as the stream will tell them."""
    if span.attributes.get("rpc.method") not in DYNAMODB_WRITES:
        return
    import json

    body = json.loads(request["body"])
    found = []
    for table, item in _writes(body):
        table = str(table).rpartition("/")[2]
        if item.get("Key"):
            found.append("ddb:%s/%s" % (table, keys.of_item(item["Key"])))
        if item.get("Item"):
            found.append("ddbi:%s/%s" % (table, keys.of_item(item["Item"])))
    if found:
        span.attributes["throughline.link.out"] = found[:LINKS_MAX]


def _writes(body):
    if "TableName" in body:
        yield body["TableName"], body
    for table, rows in (body.get("RequestItems") or {}).items():
        for row in rows:
            yield table, row.get("PutRequest") or row.get("DeleteRequest") or {}
    for row in body.get("TransactItems") or ():
        for inner in row.values():
            if "TableName" in inner:
                yield inner["TableName"], inner
