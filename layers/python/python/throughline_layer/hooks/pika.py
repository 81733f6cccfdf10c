"""pika: the context travels in a header of the message. `BlockingChannel` and others end in this channel."""

from copy import copy

from .. import faults, spans
from . import calls


def put_in(module):
    """Follows `basic_publish`."""
    calls.wrap(module.Channel, "basic_publish", lambda original: _basic_publish(original, module))


def _basic_publish(original, module):
    def basic_publish(self, exchange, routing_key, body, properties=None, *args, **kwargs):
        if spans.running is None:
            return original(self, exchange, routing_key, body, properties, *args, **kwargs)
        given = properties
        try:
            name, said = _describe(exchange, routing_key, properties)
        except Exception as error:
            faults.note("pika", error)
            name, said = "send", {}
        with calls.around(name, spans.PRODUCER, said) as span:
            try:
                properties = _with_context(properties, span, module)
            except Exception as error:
                faults.note("pika", error)
                properties = given
            return original(self, exchange, routing_key, body, properties, *args, **kwargs)

    return basic_publish


def _describe(exchange, routing_key, properties):
    said = {
        "messaging.system": "rabbitmq",
        "messaging.operation.type": "send",
        "messaging.operation.name": "publish",
        "messaging.destination.name": exchange or routing_key,
        "messaging.rabbitmq.destination.routing_key": routing_key,
    }
    message = getattr(properties, "message_id", None) or getattr(properties, "correlation_id", None)
    if message:
        said["messaging.message.id"] = str(message)
        said["throughline.link.out"] = ["mq:%s" % message]
    return "send %s" % (exchange or routing_key), said


def _with_context(properties, span, module):
    """A copy of the properties with our header: the function may use its own again."""
    if properties is None:
        properties = module.spec.BasicProperties()
    properties = copy(properties)
    headers = dict(properties.headers or {})
    if "traceparent" not in headers:
        headers.update(calls.outgoing(span, False))
    properties.headers = headers
    return properties
