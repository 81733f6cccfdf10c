"""Hooks are put in when the function has imported what they are for, and never import it themselves."""

import sys

from . import config, faults

# Module: (name of the hook for THROUGHLINE_HOOKS_OFF, our module that puts it in).
HOOKS = {
    "http.client": ("http", "http_client"),
    "botocore.client": ("aws", "botocore"),
    "aiobotocore.client": ("aws", "botocore"),
    "aiohttp.client": ("aiohttp", "aiohttp"),
    "httpx._client": ("httpx", "httpx"),
    "opentelemetry.trace": ("opentelemetry", "otel"),
    "psycopg": ("psycopg", "psycopg"),
    "psycopg2": ("psycopg", "psycopg2"),
    "pymysql.cursors": ("pymysql", "pymysql"),
    "pymongo.monitoring": ("pymongo", "pymongo"),
    "redis.client": ("redis", "redis"),
    "redis.asyncio.client": ("redis", "redis"),
    "kafka.producer.kafka": ("kafka", "kafka"),
    "confluent_kafka": ("kafka", "confluent_kafka"),
    "pika.channel": ("pika", "pika"),
    "grpc._channel": ("grpc", "grpc"),
    "grpc.aio._channel": ("grpc", "grpc"),
}

# What THROUGHLINE_HOOKS_OFF=libraries switches off: what is neither Python's own nor AWS's.
LIBRARIES = ("aiohttp", "httpx", "psycopg", "pymysql", "pymongo", "redis", "kafka", "pika", "grpc")


def install():
    """Puts in the hooks of what is loaded, and watches for the rest."""
    off = config.hooks_off()
    if "libraries" in off:
        off.update(LIBRARIES)
    wanted = {name: module for name, (hook, module) in HOOKS.items() if hook not in off and "all" not in off}
    for name in wanted:
        module = sys.modules.get(name)
        if module is not None:
            put_in(wanted[name], module)
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder(wanted))


def put_in(name, module):
    """Never raises."""
    try:
        from importlib import import_module

        import_module(__package__ + ".hooks." + name).put_in(module)
    except Exception as error:
        faults.note("hook " + name, error)


class Finder:
    """Finds nothing itself; has a say after the module was executed."""

    def __init__(self, wanted):
        self.wanted = wanted
        self.busy = set()

    def find_spec(self, name, path=None, target=None):
        """The spec that the others find for one of the modules that are waited for."""
        ours = self.wanted.get(name)
        if ours is None or name in self.busy:
            return None
        self.busy.add(name)
        try:
            for finder in sys.meta_path:
                find = getattr(finder, "find_spec", None)
                spec = find(name, path, target) if find is not None and finder is not self else None
                if spec is not None:
                    self._follow(spec.loader, name, ours)
                    return spec
        finally:
            self.busy.discard(name)
        return None

    @staticmethod
    def _follow(loader, name, ours):
        """A loader of its own stays: only its `exec_module` is followed once, so that nobody sees a difference."""
        try:
            execute = loader.exec_module

            def exec_module(module):
                if getattr(module, "__name__", None) != name:
                    return execute(module)
                try:
                    del loader.exec_module
                except AttributeError:
                    pass
                result = execute(module)
                put_in(ours, module)
                return result

            loader.exec_module = exec_module
        except Exception as error:
            faults.note("hook " + ours, error)
