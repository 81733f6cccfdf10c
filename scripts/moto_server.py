"""Moto's server, with what AWS does and it does not:

- The header X-Amzn-Trace-Id of a request becomes the system attribute AWSTraceHeader of each message that the request
  brings into a queue, itself or by way of a topic, a bus or a bucket. What the caller says for a message, or for an entry
  of PutEvents (TraceHeader), goes before the header.
- StartMessageMoveTask puts messages of a dead-letter queue back: each is a new message, with a new id and no
  AWSTraceHeader. Without a destination that is the one queue whose dead-letter queue it is.
- A stream writes to its open shards alone, and not to those that were split or merged.
- A function's configuration has a RevisionId that changes with it, and is not changed by who names another one.
- Where permissions are asked for (INITIAL_NO_AUTH_ACTION_COUNT, /moto-api/reset-auth), a statement that denies with a
  condition does so for the tables, queues and topics that it names, for the function whose session asks
  (lambda:SourceFunctionArn; Lambda names sessions after functions), and until its time (aws:CurrentTime). A request
  without a body was signed as such.

`scripts/moto` installs it. It takes the arguments of moto_server.
"""

import contextvars
import datetime
import fnmatch
import json
import sys
import uuid

import moto.server
from moto.awslambda.exceptions import PreconditionFailedException
from moto.awslambda.models import LambdaFunction
from moto.core.responses import ActionResult
from moto.events.models import EventsBackend
from moto.iam.access_control import IAMPolicyStatement, IAMRequestBase, PermissionResult
from moto.kinesis.models import Stream
from moto.sqs.exceptions import InvalidParameterValue
from moto.sqs.models import Message, SQSBackend
from moto.sqs.responses import SQSResponse

ATTRIBUTE = "AWSTraceHeader"
# Moto does all that a request leads to before it answers, in the thread of the request.
told = contextvars.ContextVar("told", default=None)
# What the entries of a batch say for themselves, in their order, of which moto makes nothing.
own = contextvars.ContextVar("own", default=iter(()))


class Application(moto.server.DomainDispatcherApplication):
    def __call__(self, environ, start_response):
        told.set(environ.get("HTTP_X_AMZN_TRACE_ID"))
        return super().__call__(environ, start_response)


make_message, send_several = Message.__init__, SQSBackend.send_message_batch
put_several = EventsBackend.put_events
every_shard_for_key = Stream.get_shard_for_key


def message(self, message_id, body, system_attributes=None):
    header = told.get()
    attributes = {ATTRIBUTE: {"DataType": "String", "StringValue": header}} if header else {}
    attributes.update(next(own.get(), None) or {})
    attributes.update(system_attributes or {})
    make_message(self, message_id, body, attributes)


def send_message_batch(self, queue_name, entries):
    own.set(iter([entry.get("MessageSystemAttributes") for entry in entries.values()]))
    try:
        return send_several(self, queue_name, entries)
    finally:
        own.set(iter(()))


def start_message_move_task(self):
    """All at once: who asks finds what was among the dead in its queue again."""
    queue_of = lambda arn: self.sqs_backend.get_queue(arn.rpartition(":")[2])
    dead, destination = queue_of(self._get_param("SourceArn")), self._get_param("DestinationArn")
    queues = [queue_of(destination)] if destination else self.sqs_backend.list_dead_letter_source_queues(dead.name)
    if len(queues) != 1:
        raise InvalidParameterValue(f"{len(queues)} queues have it as their dead-letter queue: say which is meant.")
    told.set(None)
    for one in dead.messages:
        dead._messages.remove(one)
        self.sqs_backend.send_message(
            queues[0].name, one.body, one.message_attributes, deduplication_id=one.deduplication_id, group_id=one.group_id
        )
    return ActionResult({"TaskHandle": str(uuid.uuid4())})


def put_events(self, events):
    if not any(event.get("TraceHeader") for event in events):
        return put_several(self, events)
    before, entries = told.get(), []
    for event in events:
        told.set(event.get("TraceHeader") or before)
        entries += put_several(self, [event])
    told.set(before)
    return entries


def open_shard_for_key(self, partition_key, explicit_hash_key):
    every, self.shards = self.shards, {name: shard for name, shard in self.shards.items() if shard.is_open}
    try:
        return every_shard_for_key(self, partition_key, explicit_hash_key)
    finally:
        self.shards = every


# Who asks for a permission.
asking = contextvars.ContextVar("asking")
signed_request = IAMRequestBase._create_aws_request
configuration_of, configure = LambdaFunction.get_configuration, LambdaFunction.update_configuration
check_permitted, statement_says = IAMRequestBase.check_action_permitted, IAMPolicyStatement.is_action_permitted


def check_action_permitted(self, resource):
    asking.set(self)
    return check_permitted(self, resource)


def configuration(self, *arguments, **named):
    told = configuration_of(self, *arguments, **named)
    return {**told, "RevisionId": str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(told, default=str, sort_keys=True)))}


def update_configuration(self, updates):
    if updates.pop("RevisionId", None) not in (None, self.get_configuration()["RevisionId"]):
        raise PreconditionFailedException("The Revision Id provided does not match the latest Revision Id.")
    return configure(self, updates)


def request_as_signed(self):
    parameters = self._data
    if self._method in ("GET", "DELETE"):
        self._data = {}
    try:
        return signed_request(self)
    finally:
        self._data = parameters


def touched(fields, place):
    """The ARNs of what a call is about, by its fields; the place is a region and an account."""
    tables = [fields["TableName"]] if "TableName" in fields else list(fields.get("RequestItems", {}))
    arns = [f"arn:aws:dynamodb:{place}:table/{name}" for name in tables]
    if queue := fields.get("QueueUrl"):
        arns.append(f"arn:aws:sqs:{place}:{queue.rpartition('/')[2]}")
    return arns + [arn for arn in [fields.get("TopicArn")] if arn]


def denies(statement, action, arns, function):
    """Whether a statement that denies does so, of what is touched and for the function that asks."""
    condition = statement.get("Condition", {})
    until = condition.get("DateLessThan", {}).get("aws:CurrentTime", "9999")
    listed = lambda it: it if isinstance(it, list) else [it]
    return (
        any(fnmatch.fnmatchcase(action, it) for it in listed(statement["Action"]))
        and any(fnmatch.fnmatchcase(arn, it) for arn in arns for it in listed(statement["Resource"]))
        and condition.get("ArnEquals", {}).get("lambda:SourceFunctionArn", function) == function
        and datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") < until
    )


def is_action_permitted(self, action, resource="*", principal=None, conditions=None):
    statement = self._statement
    if statement["Effect"] != "Deny" or "Condition" not in statement:
        return statement_says(self, action, resource, principal, conditions)
    request = asking.get()
    form = {name: values[0] for name, values in request._data.items() if isinstance(values, list) and values}
    body = json.loads(request._body) if request._body[:1] == b"{" else {}
    place = f"{request._region}:{request.account_id}"
    session = getattr(request._access_key, "_session_name", None)
    is_denied = denies(statement, action, touched({**body, **form}, place), f"arn:aws:lambda:{place}:function:{session}")
    return PermissionResult.DENIED if is_denied else PermissionResult.NEUTRAL


IAMRequestBase.check_action_permitted = check_action_permitted
IAMRequestBase._create_aws_request = request_as_signed
LambdaFunction.get_configuration, LambdaFunction.update_configuration = configuration, update_configuration
IAMPolicyStatement.is_action_permitted = is_action_permitted
Message.__init__, SQSBackend.send_message_batch = message, send_message_batch
EventsBackend.put_events = put_events
SQSResponse.start_message_move_task = start_message_move_task
Stream.get_shard_for_key = open_shard_for_key
moto.server.DomainDispatcherApplication = Application

if __name__ == "__main__":
    sys.exit(moto.server.main(sys.argv[1:]))
