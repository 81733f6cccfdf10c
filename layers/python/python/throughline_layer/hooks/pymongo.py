"""pymongo tells of its commands to whoever listens."""

from .. import faults, spans
from . import calls

OPEN_MAX = 1000
# What the driver does for itself.
QUIET = ("hello", "ismaster", "isMaster", "ping", "saslStart", "saslContinue", "buildInfo", "endSessions", "getnonce")


def put_in(module):
    """Listens to the clients that are made from now on."""

    class Listener(module.CommandListener):
        """Opens a span for a command, and ends it."""

        def __init__(self):
            self.open = {}

        def started(self, event):
            try:
                if spans.running is not None and event.command_name not in QUIET and len(self.open) < OPEN_MAX:
                    span = calls.begin(*_describe(event))
                    if span is not None:
                        self.open[event.operation_id, event.request_id] = span
            except Exception as error:
                faults.note("pymongo", error)

        def succeeded(self, event):
            self._end(event, None)

        def failed(self, event):
            self._end(event, event.failure)

        def _end(self, event, failure):
            try:
                span = self.open.pop((event.operation_id, event.request_id), None)
                if span is not None:
                    if failure is not None:
                        said = failure if isinstance(failure, dict) else {}
                        span.fail(str(said.get("codeName") or said.get("code") or "Error"), str(said.get("errmsg") or "")[:2048])
                    calls.end(span)
            except Exception as error:
                faults.note("pymongo", error)

    module.register(Listener())


def _describe(event):
    operation = event.command_name
    collection = event.command.get(operation)
    said = {"db.system.name": "mongodb", "db.operation.name": operation, "db.namespace": event.database_name}
    host, port = event.connection_id
    said["server.address"] = host
    if port:
        said["server.port"] = port
    if isinstance(collection, str):
        said["db.collection.name"] = collection
        return "%s %s" % (operation, collection), spans.CLIENT, said
    return operation, spans.CLIENT, said
