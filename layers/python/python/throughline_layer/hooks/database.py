"""What the hooks of databases share: names and attributes of a query, without the values in it."""

import re

from .. import faults, spans
from . import calls

TEXT_MAX = 4096
# Quoted text, then numbers that are no part of a name. Names in double quotes stay.
VALUES = re.compile(r"'(?:[^']|'')*'|(?<![\w$])[+-]?\d+(?:\.\d+)?(?![\w$])")
COLLECTION = re.compile(r"\b(?:from|into|update|table|join)\s+(?:only\s+|if\s+(?:not\s+)?exists\s+)?([\w.\"`$]+)", re.I)


def sql(system, query, **said):
    """The name and the attributes of a query in SQL."""
    text = query.decode("utf-8", "replace") if isinstance(query, bytes) else str(query)
    text = VALUES.sub("?", text[:TEXT_MAX]).strip()
    operation = text[:32].split(None, 1)[0].upper() if text else "QUERY"
    found = COLLECTION.search(text)
    collection = found.group(1).replace('"', "").replace("`", "") if found else None
    attributes = {"db.system.name": system, "db.query.text": text, "db.operation.name": operation}
    if collection:
        attributes["db.collection.name"] = collection
    attributes.update({name.replace("__", "."): value for name, value in said.items() if value not in (None, "")})
    return ("%s %s" % (operation, collection) if collection else operation), attributes


def follow(describe, is_async=False):
    """A wrapper for a method of a cursor or client: `describe(self, *arguments)` gives name and attributes."""

    def open_span(self, arguments):
        leaf = spans.leaf.get()
        if spans.running is None or (leaf is not None and not leaf.end):
            # A method that is made of others that are followed is one call.
            return None
        try:
            name, said = describe(self, *arguments)
            return name, spans.CLIENT, said
        except Exception as error:
            faults.note("database", error)
            return None

    def synchronous(original):
        def method(self, *args, **kwargs):
            opened = open_span(self, args)
            if opened is None:
                return original(self, *args, **kwargs)
            try:
                with calls.around(*opened):
                    return original(self, *args, **kwargs)
            except BaseException as error:
                calls.hide(error)
                raise

        return method

    def asynchronous(original):
        async def method(self, *args, **kwargs):
            opened = open_span(self, args)
            if opened is None:
                return await original(self, *args, **kwargs)
            try:
                with calls.around(*opened):
                    return await original(self, *args, **kwargs)
            except BaseException as error:
                calls.hide(error)
                raise

        return method

    return asynchronous if is_async else synchronous
