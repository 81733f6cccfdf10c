"""kafka-python's producer: the context travels in a header of the record."""

from .. import faults, spans
from . import calls


def put_in(module):
    """Follows `send`."""
    calls.wrap(module.KafkaProducer, "send", _send)


def described(topic):
    """The name, the kind and the attributes of a record that is sent."""
    said = {
        "messaging.system": "kafka",
        "messaging.operation.type": "send",
        "messaging.operation.name": "send",
        "messaging.destination.name": str(topic),
    }
    return "send " + str(topic), spans.PRODUCER, said


def with_context(headers, span):
    """The headers as a list, with ours unless there is one."""
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
    if not any(str(name).lower() == "traceparent" for name, _ in pairs):
        pairs += [(name, value.encode()) for name, value in calls.outgoing(span, False)]
    return pairs


def sent(span, topic, partition, offset):
    """The broker has it, under this name."""
    span.attributes["throughline.link.out"] = ["kafka:%s/%s/%s" % (topic, partition, offset)]
    span.attributes["messaging.destination.partition.id"] = str(partition)
    calls.end(span)


def _send(original):
    def send(self, topic, value=None, key=None, headers=None, *args, **kwargs):
        span = None
        try:
            span = calls.begin(*described(topic)) if spans.running is not None else None
            if span is not None:
                headers = with_context(headers, span)
        except Exception as error:
            faults.note("kafka", error)
        try:
            future = original(self, topic, value, key, headers, *args, **kwargs)
        except BaseException as error:
            if span is not None:
                calls.end(span, error)
            calls.hide(error)
            raise
        if span is not None:
            future.add_callback(lambda told: sent(span, told.topic, told.partition, told.offset))
            future.add_errback(lambda error: calls.end(span, error))
        return future

    return send
