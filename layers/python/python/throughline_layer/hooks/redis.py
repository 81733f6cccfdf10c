"""redis-py, plain and asynchronous."""

from inspect import iscoroutinefunction

from . import calls, database


def put_in(module):
    """Follows single commands and pipelines."""
    command = getattr(module.Redis, "execute_command")
    is_async = iscoroutinefunction(command) or module.__name__.startswith("redis.asyncio")
    calls.wrap(module.Redis, "execute_command", database.follow(_describe, is_async))
    calls.wrap(module.Pipeline, "execute", database.follow(_describe_pipeline, is_async))


def _settings(client):
    return getattr(client.connection_pool, "connection_kwargs", {})


def _said(client, operation):
    settings = _settings(client)
    said = {"db.system.name": "redis", "db.operation.name": operation, "db.namespace": str(settings.get("db") or 0)}
    if settings.get("host"):
        said["server.address"] = str(settings["host"])
        said["server.port"] = int(settings.get("port") or 6379)
    return said


def _describe(client, *arguments):
    operation = str(arguments[0]).upper() if arguments else "COMMAND"
    said = _said(client, operation)
    # Keys and values are the users'.
    said["db.query.text"] = operation + " ?" * min(len(arguments) - 1, 16)
    return operation, said


def _describe_pipeline(client, *_):
    commands = getattr(client, "command_stack", None) or ()
    said = _said(client, "PIPELINE")
    said["db.operation.batch.size"] = len(commands)
    return "PIPELINE", said
