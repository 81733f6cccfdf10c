"""Moto's server, with what AWS does and it does not:

- The header X-Amzn-Trace-Id of a request becomes the system attribute AWSTraceHeader of each message that the request
  brings into a queue, itself or by way of a topic, a bus or a bucket. What the caller says for a message, or for an entry
  of PutEvents (TraceHeader), goes before the header.
- StartMessageMoveTask puts messages of a dead-letter queue back: each is a new message, with a new id and no
  AWSTraceHeader. Without a destination that is the one queue whose dead-letter queue it is.
- A stream writes to its open shards alone, and not to those that were split or merged.

`scripts/moto` installs it. It takes the arguments of moto_server.
"""

import contextvars
import sys
import uuid

import moto.server
from moto.core.responses import ActionResult
from moto.events.models import EventsBackend
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


Message.__init__, SQSBackend.send_message_batch = message, send_message_batch
EventsBackend.put_events = put_events
SQSResponse.start_message_move_task = start_message_move_task
Stream.get_shard_for_key = open_shard_for_key
moto.server.DomainDispatcherApplication = Application

if __name__ == "__main__":
    sys.exit(moto.server.main(sys.argv[1:]))
