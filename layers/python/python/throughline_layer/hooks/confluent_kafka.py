"""confluent-kafka's producers: of C, so the name that the function takes is given to a class derived from it."""

from .. import faults, spans
from . import calls, kafka


def put_in(module):
    """Follows `produce`."""
    followed = type("Producer", (module.Producer,), {"__module__": module.Producer.__module__, "__doc__": module.Producer.__doc__})
    calls.wrap(followed, "produce", _produce)
    module.Producer = followed
    serializing = getattr(module, "SerializingProducer", None)
    if serializing is not None:
        calls.wrap(serializing, "produce", _produce)


def _produce(original):
    def produce(self, topic, *args, **kwargs):
        span = None
        try:
            span = calls.begin(*kafka.described(topic)) if spans.running is not None else None
            if span is not None:
                kwargs["headers"] = kafka.with_context(kwargs.get("headers"), span)
                name = "callback" if "callback" in kwargs else "on_delivery"
                kwargs[name] = _delivered(span, kwargs.get(name))
        except Exception as error:
            faults.note("confluent_kafka", error)
        try:
            return original(self, topic, *args, **kwargs)
        except BaseException as error:
            if span is not None:
                calls.end(span, error)
            calls.hide(error)
            raise

    return produce


def _delivered(span, then):
    def on_delivery(error, message):
        try:
            if error is not None:
                span.fail(error.name(), error.str())
                calls.end(span)
            else:
                kafka.sent(span, message.topic(), message.partition(), message.offset())
        except Exception as fault:
            faults.note("confluent_kafka", fault)
        if then is not None:
            return then(error, message)

    return on_delivery
