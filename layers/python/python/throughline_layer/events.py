"""What an event tells: where it came from, who caused it, and by which ids it can be found again.

`SOURCES` and `RECORDS` are tables of the event sources; each reader fills a `Way`. A reader meets whatever was
thrown at the function, so it may raise: `read` then keeps what was read before.
"""

from . import carriers, faults
from .path import came_again, hop, key_of

RECORDS_MAX = 1000
TEXT_MAX = 262144


class Way:
    """The way by which an event came."""

    __slots__ = ("type", "trigger", "attributes", "contexts", "keys", "path", "messages", "ends", "correlation")

    def __init__(self):
        self.type = "invoke"
        # OpenTelemetry's faas.trigger: http, pubsub, datasource, timer, other.
        self.trigger = "other"
        self.attributes = {}
        # One context or None for each record; of an event without records the only one.
        self.contexts = []
        # Correlation keys, `kind:value`.
        self.keys = []
        # The managed services that each record came through.
        self.path = []
        # The ids of messages, beside their contexts; None where a record has none.
        self.messages = []
        # How many keys there were when each record had been read.
        self.ends = []
        # What the application calls the last record that was read.
        self.correlation = None

    def carried(self, *headers):
        """Takes the context of one record, or of the event."""
        found = [carriers.lower(one) for one in headers]
        self.contexts.append(carriers.context(*found))
        self.correlation = next((one[carriers.CORRELATION] for one in found if carriers.CORRELATION in one), None)
        self.ends.append(len(self.keys))

    def key(self, kind, *values):
        """One more correlation key, if all of its parts are known; gives it back."""
        key = key_of(kind, *values)
        if key and len(self.keys) < RECORDS_MAX:
            self.keys.append(key)
        return key

    def came(self, *hops):
        """The services that one record came through."""
        self.path.append(">".join(hops))


def read(event, context=None):
    """The way by which an event came. Never raises."""
    way = Way()
    try:
        if isinstance(event, dict):
            for kind, trigger, is_it, reader in SOURCES:
                if is_it(event):
                    way.type, way.trigger = kind, trigger
                    reader(way, event)
                    break
        elif isinstance(event, list) and event and isinstance(event[0], dict) and "request" in event[0]:
            way.type, way.trigger = "appsync", "http"
            # One request for several of its fields.
            _appsync(way, event[0])
    except Exception as error:
        faults.note("event", error, aloud=False)
    if len(way.contexts) == 1 and way.correlation and len(way.correlation) <= carriers.CORRELATION_MAX:
        way.attributes["throughline.correlation_id"] = way.correlation
    try:
        if context is not None and not any(way.contexts):
            _client(way, context)
    except Exception as error:
        faults.note("client context", error, aloud=False)
    return way


def _in(value, *path):
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _records(way, records):
    """The records that are looked at; how many there are is told."""
    way.attributes["messaging.batch.message_count"] = len(records)
    if way.trigger == "pubsub":
        way.attributes["messaging.operation.type"] = "process"
    return [record for record in records[:RECORDS_MAX] if isinstance(record, dict)]


def _tail(arn):
    """The last part of an ARN: the name of a queue, a topic, a table."""
    return str(arn or "").rpartition(":")[2]


def _json(text):
    """The object in a text, if there is one and it is not too large to look into."""
    if isinstance(text, str) and text[:1] == "{" and len(text) <= TEXT_MAX:
        import json

        try:
            value = json.loads(text)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None
    return None


def _bytes_in_base64(text):
    if isinstance(text, str) and len(text) <= TEXT_MAX:
        import binascii

        try:
            data = binascii.a2b_base64(text)
        except ValueError:
            return None
        if b'"_datadog"' in data or b'"traceparent"' in data:
            return _json(data.decode("utf-8", "replace"))
    return None


def _client(way, context):
    """What the caller of `Invoke` gave beside the event."""
    w3c = getattr(context, "w3c", None)
    custom = getattr(getattr(context, "client_context", None), "custom", None)
    given = [w3c() if callable(w3c) else None, custom, _in(custom, "headers")]
    found = carriers.context(*[carriers.lower(one) for one in given])
    if found:
        way.contexts = [found]


# --- HTTP


def _set(way, **pairs):
    for name, value in pairs.items():
        if value not in (None, ""):
            way.attributes[name.replace("__", ".")] = value


def _header(headers, name):
    for known in headers or ():
        if isinstance(known, str) and known.lower() == name:
            return carriers.text(headers[known])
    return None


def _http(way, event, method, path, route, headers):
    way.carried(headers, event.get("multiValueHeaders"))
    _set(way, http__request__method=method, url__path=path, http__route=route)
    _set(way, url__scheme=_header(headers, "x-forwarded-proto"), server__address=_header(headers, "host"))
    _set(way, user_agent__original=_header(headers, "user-agent"))


def _rest(way, event):
    request = event.get("requestContext") or {}
    headers = event.get("headers") or event.get("multiValueHeaders")
    _http(way, event, event.get("httpMethod"), event.get("path"), event.get("resource"), headers)
    _set(way, client__address=_in(request, "identity", "sourceIp"))
    way.came(_api(way, request, request.get("requestTimeEpoch")))
    way.key("apigw", request.get("extendedRequestId"))
    _authorizer(way, request.get("authorizer"))


def _api(way, request, time):
    """The hop of a request to an API, whose key it takes."""
    return hop("api", request.get("apiId") or request.get("domainName"), time, way.key("apigw", request.get("requestId")))


def _http_api(way, event):
    request = event.get("requestContext") or {}
    http = request.get("http") or {}
    route = str(event.get("routeKey") or request.get("routeKey") or "")
    method = http.get("method")
    if ".lambda-url." in str(request.get("domainName")):
        way.type = "function-url"
    path = route.partition(" ")[2] if " " in route else None
    _http(way, event, method, http.get("path") or event.get("rawPath"), path, event.get("headers"))
    _set(way, client__address=http.get("sourceIp"))
    way.came(_api(way, request, request.get("timeEpoch")))
    _authorizer(way, _in(request, "authorizer", "lambda"))


def _authorizer(way, authorizer):
    """A context that an authorizer handed over, where the request itself brought none."""
    if not any(way.contexts) and isinstance(authorizer, dict):
        way.contexts = [carriers.context(carriers.lower(authorizer))]


def _websocket(way, event):
    request = event.get("requestContext") or {}
    _http(way, event, None, None, request.get("routeKey"), event.get("headers"))
    _set(way, server__address=request.get("domainName"), client__address=_in(request, "identity", "sourceIp"))
    _set(way, throughline__event__type=request.get("eventType"), throughline__websocket__connection_id=request.get("connectionId"))
    way.key("ws", request.get("connectionId"))
    way.came(_api(way, request, request.get("requestTimeEpoch")))


def _alb(way, event):
    headers = event.get("headers") or event.get("multiValueHeaders")
    _http(way, event, event.get("httpMethod"), event.get("path"), None, headers)
    # `...:targetgroup/NAME/ID`
    group = str(_in(event, "requestContext", "elb", "targetGroupArn") or "").split("/")
    way.came(hop("balancer", group[1] if len(group) > 1 else None))


def _lattice(way, event):
    path = str(event.get("path") or event.get("raw_path") or "").partition("?")[0]
    _http(way, event, event.get("method"), path, None, event.get("headers"))
    request = _request(event)
    service = str(request.get("serviceArn") or request.get("serviceNetworkArn") or "")
    way.came(hop("balancer", service.rpartition("/")[2], request.get("timeEpoch")))


def _appsync(way, event):
    way.carried(_in(event, "request", "headers"))
    _set(way, graphql__operation__name=_in(event, "info", "fieldName"))
    _set(way, graphql__operation__type=str(_in(event, "info", "parentTypeName") or "").lower())
    headers = _in(event, "request", "headers")
    way.came(hop("api", _header(headers, "host"), None, way.key("apigw", _header(headers, "x-amzn-requestid"))))


def _cloudfront(way, event):
    request = _in(event["Records"][0], "cf", "request") or {}
    headers = {name: _in(values[0], "value") for name, values in (request.get("headers") or {}).items() if values}
    _http(way, event, request.get("method"), request.get("uri"), None, headers)
    known = _in(event["Records"][0], "cf", "config") or {}
    way.came(hop("balancer", known.get("distributionId"), None, way.key("cf", known.get("requestId"))))


def _object_lambda(way, event):
    way.carried(_in(event, "userRequest", "headers"))
    point = str(_in(event, "configuration", "accessPointArn") or "").rpartition("/")[2]
    way.came(hop("bucket", point, None, way.key("s3r", event.get("xAmzRequestId"))))


# --- queues, topics, buses


def _sqs(way, event):
    records = _records(way, event["Records"])
    queue = _tail(records[0].get("eventSourceARN"))
    _set(way, messaging__system="aws_sqs", messaging__destination__name=queue)
    for record in records:
        message, body = record.get("messageId"), _envelope(record.get("body"))
        way.messages.append(message)
        key = way.key("sqs", message)
        way.key("sqsbody", record.get("md5OfBody"))
        hops = []
        inner = _enclosed(way, body, hops) if body else []
        way.carried(record.get("messageAttributes"), record.get("attributes"), *inner)
        way.came(*hops, hop("queue", _tail(record.get("eventSourceARN")), _in(record, "attributes", "SentTimestamp"), key))
        came_again(way.attributes, _in(record, "attributes", "ApproximateReceiveCount"), key)


def _envelope(body):
    """What another service wrapped: a topic's notification, a bus's event, a bucket's."""
    if isinstance(body, str) and ('"TopicArn"' in body or '"detail-type"' in body or '"aws:s3"' in body):
        return _json(body)
    return None


def _enclosed(way, body, hops):
    """Takes the keys of an envelope and, oldest first, its hops; gives the headers that it carries, its own first."""
    if body.get("Type") == "Notification" and "TopicArn" in body:
        return _notification(way, body, hops)
    if "detail-type" in body:
        _on_bus(way, body, hops)
        return [body.get("detail")]
    for at, record in enumerate(body.get("Records") or ()):
        if isinstance(_in(record, "s3"), dict):
            there = _object(way, record)
            hops.extend([there] if at == 0 else [])
    return []


def _notification(way, message, hops):
    """Of a topic, as it is in events and in the bodies of queues' messages."""
    key = way.key("sns", message.get("MessageId"))
    inner = _envelope(message.get("Message"))
    headers = _enclosed(way, inner, hops) if inner else []
    hops.append(hop("topic", _tail(message.get("TopicArn")), message.get("Timestamp"), key))
    return [message.get("MessageAttributes")] + headers


def _scheduled(event):
    return event.get("detail-type") == "Scheduled Event" or event.get("source") == "aws.scheduler"


def _on_bus(way, event, hops):
    """An event does not tell its bus; AWS's own are on the default one, and those of a partner on one with its name."""
    key = way.key("eb", event.get("id"))
    source, time, detail = str(event.get("source")), event.get("time"), event.get("detail")
    if _scheduled(event):
        rule = event.get("resources")
        rule = rule[0] if isinstance(rule, list) and rule else ""
        hops.append(hop("schedule", str(rule).rpartition("/")[2], time, key))
        return
    if source == "aws.s3":
        request = way.key("s3r", _in(detail, "request-id"))
        if _in(detail, "bucket"):
            hops.append(hop("bucket", _in(detail, "bucket", "name"), time, request))
    bus = source if source.startswith("aws.partner/") else "default" if source.startswith("aws.") else None
    if event.get("replay-name"):
        from .keys import of_event

        # Its id may be another, and its time is that of the first: who put it is found by what it says.
        again = None if bus else way.key("ebd", of_event(source, event.get("detail-type"), detail))
        time, key = None, again or key
    hops.append(hop("bus", bus, time, key))


def _sns(way, event):
    records = _records(way, event["Records"])
    topic = _in(records[0], "Sns", "TopicArn")
    _set(way, messaging__system="aws.sns", messaging__destination__name=_tail(topic), aws__sns__topic__arn=topic)
    for record in records:
        sns, hops = record.get("Sns") or {}, []
        way.messages.append(sns.get("MessageId"))
        way.carried(*_notification(way, sns, hops))
        way.came(*hops)


def _bus(way, event):
    if _scheduled(event):
        way.type, way.trigger = "schedule", "timer"
        _set(way, faas__time=event.get("time"))
    else:
        _set(way, messaging__system="aws_eventbridge", messaging__operation__type="process")
        _set(way, throughline__event__type=event.get("detail-type"), throughline__event__source=event.get("source"))
        _set(way, throughline__event__replay=event.get("replay-name"))
    hops = []
    _on_bus(way, event, hops)
    way.carried(event.get("detail"))
    way.came(*hops)


def _kafka(way, event):
    _set(way, messaging__system="kafka", messaging__operation__type="process")
    for rows in event["records"].values():
        for row in rows[: RECORDS_MAX - len(way.contexts)]:
            _set(way, messaging__destination__name=row.get("topic"))
            message = "%s/%s/%s" % (row.get("topic"), row.get("partition"), row.get("offset"))
            way.messages.append(message)
            key = way.key("kafka", message)
            way.came(hop("broker", row.get("topic"), row.get("timestamp"), key))
            headers = {name: value for pair in row.get("headers") or () for name, value in pair.items()}
            way.carried(headers)
    way.attributes["messaging.batch.message_count"] = sum(map(len, event["records"].values()))


def _rabbit(way, event):
    _set(way, messaging__system="rabbitmq", messaging__operation__type="process")
    count = 0
    for queue, rows in event["rmqMessagesByQueue"].items():
        _set(way, messaging__destination__name=queue.partition("::")[0])
        count += len(rows)
        for row in rows[: RECORDS_MAX - len(way.contexts)]:
            properties = row.get("basicProperties") or {}
            message = properties.get("messageId") or properties.get("correlationId")
            way.messages.append(message)
            key = way.key("mq", message)
            way.carried(properties.get("headers"))
            way.came(hop("broker", queue.partition("::")[0], properties.get("timestamp"), key))
    way.attributes["messaging.batch.message_count"] = count


def _active(way, event):
    _set(way, messaging__system="activemq")
    for row in _records(way, event["messages"]):
        _set(way, messaging__destination__name=_in(row, "destination", "physicalName"))
        way.messages.append(row.get("messageID"))
        key = way.key("mq", row.get("messageID"))
        way.carried(row.get("properties"))
        accepted = row.get("brokerInTime") or row.get("timestamp")
        way.came(hop("broker", _in(row, "destination", "physicalName"), accepted, key))


# --- streams and stores


def _kinesis(way, event):
    records = _records(way, event["Records"])
    stream = str(records[0].get("eventSourceARN") or "").rpartition("/")[2]
    _set(way, messaging__system="aws_kinesis", messaging__destination__name=stream)
    _set(way, messaging__operation__type="process", aws__kinesis__stream_name=stream)
    for record in records:
        shard, _, number = str(record.get("eventID") or "").partition(":")
        way.messages.append(number)
        key = way.key("kin", stream, shard, number)
        way.carried(_bytes_in_base64(_in(record, "kinesis", "data")))
        way.came(hop("stream", stream, _in(record, "kinesis", "approximateArrivalTimestamp"), key))


def _firehose(way, event):
    stream = str(event.get("deliveryStreamArn") or "").rpartition("/")[2]
    source = str(event.get("sourceKinesisStreamArn") or "").rpartition("/")[2]
    _set(way, messaging__system="aws_firehose", messaging__destination__name=stream)
    _set(way, messaging__operation__type="process")
    for record in _records(way, event["records"]):
        way.messages.append(record.get("recordId"))
        hops = [hop("stream", stream, record.get("approximateArrivalTimestamp"), way.key("fh", record.get("recordId")))]
        meta = record.get("kinesisRecordMetadata")
        if meta and source:
            key = way.key("kin", source, meta.get("shardId"), meta.get("sequenceNumber"))
            hops.insert(0, hop("stream", source, meta.get("approximateArrivalTimestamp"), key))
        way.carried(_bytes_in_base64(record.get("data")))
        way.came(*hops)


def _dynamodb(way, event):
    from .keys import of_item

    records = _records(way, event["Records"])
    table = (str(records[0].get("eventSourceARN") or "").split("/") + [""])[1]
    _set(way, faas__document__collection=table)
    way.attributes["aws.dynamodb.table_names"] = [table]
    operations = {"INSERT": "insert", "MODIFY": "edit", "REMOVE": "delete"}
    _set(way, faas__document__operation=operations.get(records[0].get("eventName")))
    for record in records:
        change = record.get("dynamodb") or {}
        way.messages.append(change.get("SequenceNumber"))
        key = way.key("ddb", table, of_item(change.get("Keys")))
        way.key("ddbi", table, of_item(change.get("NewImage")))
        image = change.get("NewImage") or {}
        way.carried({name: _in(image, name, "S") for name in image if name.lower() in carriers.NAMES})
        way.came(hop("table", table, change.get("ApproximateCreationDateTime"), key))


def _document(way, event):
    _set(way, db__system__name="mongodb")
    for record in _records(way, event["events"]):
        change = record.get("event") or {}
        _set(way, faas__document__collection=_in(change, "ns", "coll"))
        _set(way, faas__document__operation=change.get("operationType"))
        way.messages.append(_in(change, "_id", "_data"))
        way.carried(change.get("fullDocument"))
        way.came(hop("table", _in(change, "ns", "coll"), _in(change, "clusterTime", "$timestamp", "t")))


def _s3(way, event):
    records = _records(way, event["Records"])
    bucket = _in(records[0], "s3", "bucket", "name")
    _set(way, faas__document__collection=bucket, aws__s3__bucket=bucket)
    _set(way, faas__document__name=_unquoted(_in(records[0], "s3", "object", "key")))
    kind = str(records[0].get("eventName")).replace("s3:", "").partition(":")[0]
    operations = {"ObjectCreated": "insert", "ObjectRemoved": "delete"}
    _set(way, faas__document__operation=operations.get(kind, "edit"))
    _set(way, faas__document__time=records[0].get("eventTime"))
    for record in records:
        way.messages.append(None)
        way.contexts.append(None)
        way.came(_object(way, record))


def _unquoted(name):
    from urllib.parse import unquote_plus

    return unquote_plus(str(name))


def _object(way, record):
    """The hop of a bucket, whose keys are taken."""
    thing = _in(record, "s3", "object") or {}
    key = way.key("s3r", _in(record, "responseElements", "x-amz-request-id"))
    bucket = _in(record, "s3", "bucket", "name")
    if thing.get("eTag"):
        versions = [thing["versionId"]] if thing.get("versionId") else []
        other = way.key("s3o", bucket, _unquoted(thing.get("key")), thing["eTag"], *versions)
        key = key or other
    return hop("bucket", bucket, record.get("eventTime"), key)


# --- others


def _mail(way, event):
    mail = _in(event["Records"][0], "ses", "mail") or {}
    pairs = [one for one in mail.get("headers") or () if isinstance(one, dict)]
    way.key("ses", mail.get("messageId"))
    way.carried({one.get("name"): one.get("value") for one in pairs})


def _logs(way, event):
    way.contexts.append(None)


def _cognito(way, event):
    way.carried(_in(event, "request", "clientMetadata"), _in(event, "callerContext"))
    _set(way, throughline__event__type=event.get("triggerSource"))


def _token(way, event):
    """An authorizer is asked before the function that it guards."""
    way.carried(event.get("headers"), event.get("multiValueHeaders"))
    # `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/...`
    name = ":".join(str(event.get("methodArn") or event.get("routeArn")).split(":")[5:]).partition("/")[0]
    request = {"apiId": name, **_request(event)}
    way.came(_api(way, request, request.get("requestTimeEpoch") or request.get("timeEpoch")))


def _execution(event):
    """The context object of a state machine, if its definition hands it over, here or one level below."""
    for one in (event, event.get("Context"), event.get("Payload")):
        name = str(_in(one, "Execution", "Id"))
        if ":execution:" in name or ":express:" in name:
            return one
    return None


def _steps(way, event):
    execution = _execution(event)
    key = way.key("sfn", execution["Execution"]["Id"])
    # `...:execution:MACHINE:NAME`
    name = _in(execution, "StateMachine", "Name") or (execution["Execution"]["Id"].split(":") + [""] * 7)[6]
    way.came(hop("workflow", name, execution["Execution"].get("StartTime"), key))
    _set(way, aws__step_functions__execution__arn=execution["Execution"]["Id"])
    _set(way, aws__step_functions__state__name=_in(execution, "State", "Name"))
    way.carried(event)


def _durable(way, event):
    """What an earlier invocation of the execution kept, as Datadog's tracer does."""
    _set(way, throughline__durable__execution=event.get("DurableExecutionArn"))
    for operation in _in(event, "InitialExecutionState", "Operations") or ():
        if str(operation.get("Name")).startswith("_datadog_"):
            kept = operation.get("Payload") or _in(operation, "StepDetails", "Result")
            return way.carried({"_datadog": kept})
    way.carried(None)


def _invoked(way, event):
    """By a program, or by who puts carriers beside the data: destinations, schedulers, Step Functions' input."""
    request = event.get("requestContext")
    if isinstance(request, dict) and "condition" in request:
        way.type, way.trigger = "destination", "pubsub"
        way.key("lam", request.get("requestId"))
        return
    way.carried(event, event.get("headers") if isinstance(event.get("headers"), dict) else None)


def _record_is(*names):
    def is_it(event):
        records = event.get("Records")
        first = records[0] if isinstance(records, list) and records else None
        source = isinstance(first, dict) and (first.get("eventSource") or first.get("EventSource"))
        return source in names

    return is_it


def _edge(event):
    records = event.get("Records")
    return isinstance(records, list) and bool(records) and isinstance(_in(records[0], "cf", "request"), dict)


def _rows(event, name):
    rows = event.get(name)
    return isinstance(rows, list) and bool(rows) and isinstance(rows[0], dict)


def _request(event):
    request = event.get("requestContext")
    return request if isinstance(request, dict) else {}


# kind, faas.trigger, whether it is this, reader: the first that says yes reads.
SOURCES = (
    ("sqs", "pubsub", _record_is("aws:sqs"), _sqs),
    ("sns", "pubsub", _record_is("aws:sns"), _sns),
    ("kinesis", "datasource", _record_is("aws:kinesis"), _kinesis),
    ("dynamodb", "datasource", _record_is("aws:dynamodb"), _dynamodb),
    ("s3", "datasource", _record_is("aws:s3"), _s3),
    ("ses", "other", _record_is("aws:ses"), _mail),
    ("cloudfront", "http", _edge, _cloudfront),
    ("authorizer", "http", lambda event: "methodArn" in event or "routeArn" in event, _token),
    ("alb", "http", lambda event: "elb" in _request(event), _alb),
    ("websocket", "http", lambda event: "connectionId" in _request(event), _websocket),
    ("http-api", "http", lambda event: isinstance(_request(event).get("http"), dict), _http_api),
    ("rest-api", "http", lambda event: "httpMethod" in event and "requestContext" in event, _rest),
    ("lattice", "http", lambda event: "raw_path" in event or "serviceNetworkArn" in _request(event), _lattice),
    ("appsync", "http", lambda event: "info" in event and isinstance(event.get("request"), dict), _appsync),
    ("s3-object-lambda", "http", lambda event: "getObjectContext" in event or "xAmzRequestId" in event, _object_lambda),
    ("eventbridge", "pubsub", lambda event: "detail-type" in event and "source" in event, _bus),
    ("kafka", "pubsub", lambda event: "kafka" in str(event.get("eventSource")).lower() and isinstance(event.get("records"), dict), _kafka),
    ("rabbitmq", "pubsub", lambda event: isinstance(event.get("rmqMessagesByQueue"), dict), _rabbit),
    ("activemq", "pubsub", lambda event: event.get("eventSource") in ("aws:mq", "aws:amq") and _rows(event, "messages"), _active),
    ("firehose", "datasource", lambda event: "deliveryStreamArn" in event and _rows(event, "records"), _firehose),
    ("documentdb", "datasource", lambda event: event.get("eventSource") == "aws:docdb" and _rows(event, "events"), _document),
    ("logs", "datasource", lambda event: isinstance(event.get("awslogs"), dict), _logs),
    ("cognito", "other", lambda event: "triggerSource" in event and "userPoolId" in event, _cognito),
    ("durable", "other", lambda event: "DurableExecutionArn" in event, _durable),
    ("step-functions", "other", lambda event: _execution(event) is not None, _steps),
    ("invoke", "other", lambda event: True, _invoked),
)
