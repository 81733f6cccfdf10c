"""boto3 and aioboto3: one span for each operation, whatever number of requests it takes.

`_make_api_call` knows the operation, its parameters and the parsed answer. The requests are made below it by urllib3
or aiohttp, whose hooks put the context of this span into the header.
"""

from inspect import iscoroutinefunction

from .. import config, faults, spans
from . import aws, calls


def put_in(module):
    """Follows the base class of all clients."""
    base = getattr(module, "AioBaseClient", None) or module.BaseClient
    global _carries, _bodies
    _carries = bool(config.attributes() or config.payload_context())
    if config.payloads() in ("on-error", "all"):
        from . import bodies

        _bodies = bodies
    if iscoroutinefunction(base._make_api_call):
        calls.wrap(base, "_make_api_call", _asynchronous)
        calls.wrap(base, "_convert_to_request_dict", _converted_asynchronously)
    else:
        calls.wrap(base, "_make_api_call", _synchronous)
        calls.wrap(base, "_convert_to_request_dict", _converted)


# Whether the user asked for a context in attributes or payloads.
_carries = False
# The module that keeps what is sent and answered, if somebody wants it.
_bodies = None


def _sent(client, operation, parameters, span):
    """The parameters that go out."""
    if _bodies is not None and span is not None:
        _bodies.operation(span, "request", client.meta.service_model.service_name, operation, parameters)
    if not _carries:
        return parameters
    try:
        from . import carrying

        return carrying.put_on(client.meta.service_model.service_name, operation, parameters, span)
    except Exception as error:
        faults.note("carrying", error)
        return parameters


def _describe(client, operation, parameters):
    try:
        return aws.describe(client.meta.service_model.service_name, client.meta, operation, parameters)
    except Exception as error:
        faults.note("aws", error)
        return operation, spans.CLIENT, {}


def _synchronous(original):
    def _make_api_call(self, operation_name, api_params):
        if spans.running is None and spans.init is None:
            return original(self, operation_name, api_params)
        try:
            with calls.around(*_describe(self, operation_name, api_params)) as span:
                response = original(self, operation_name, _sent(self, operation_name, api_params, span))
                _answered(self, span, operation_name, api_params, response)
                return response
        except Exception as error:
            _failed(span, error)
            calls.hide(error)
            raise

    return _make_api_call


def _asynchronous(original):
    async def _make_api_call(self, operation_name, api_params):
        if spans.running is None and spans.init is None:
            return await original(self, operation_name, api_params)
        try:
            with calls.around(*_describe(self, operation_name, api_params)) as span:
                response = await original(self, operation_name, _sent(self, operation_name, api_params, span))
                _answered(self, span, operation_name, api_params, response)
                return response
        except Exception as error:
            _failed(span, error)
            calls.hide(error)
            raise

    return _make_api_call


def _answered(client, span, operation, parameters, response):
    if span is None:
        return
    try:
        service = client.meta.service_model.service_name
        aws.answered(span, service, operation, parameters, response)
        if _bodies is not None:
            _bodies.operation(span, "response", service, operation, response)
    except Exception as error:
        faults.note("aws", error)


def _failed(span, error):
    if span is None:
        return
    try:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            told = response.get("Error") or {}
            span.fail(told.get("Code") or type(error).__name__, str(told.get("Message") or "")[:2048])
            aws.metadata(span, response)
    except Exception as fault:
        faults.note("aws", fault)


def _wire(request):
    """Looks at the request as it is on the wire, for keys that both ends of a hop work out."""
    try:
        span = spans.leaf.get()
        if span is not None and span.attributes.get("rpc.service") == "DynamoDB":
            aws.items(span, request)
    except Exception as error:
        faults.note("aws", error)
    return request


def _converted(original):
    def _convert_to_request_dict(self, *args, **kwargs):
        return _wire(original(self, *args, **kwargs))

    return _convert_to_request_dict


def _converted_asynchronously(original):
    async def _convert_to_request_dict(self, *args, **kwargs):
        return _wire(await original(self, *args, **kwargs))

    return _convert_to_request_dict
