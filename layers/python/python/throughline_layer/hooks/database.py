"""What the hooks of databases share: names and attributes of a query, without the values in it."""

import re

from .. import config, faults, ids, spans
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


def commented(query, span):
    """The query with a comment at its end that carries the trace: `/*traceparent='...'*/`, as sqlcommenter has it.

    One that has a comment, is to be prepared, or is no text stays.
    """
    if not isinstance(query, str) or not span.trace or "/*" in query or "--" in query:
        return query
    if query.split(None, 1)[:1] in ([], ["PREPARE"], ["prepare"]):
        return query
    plain = query.rstrip()
    end = ";" if plain.endswith(";") else ""
    return "%s /*traceparent='%s'*/%s" % (plain.rstrip(";").rstrip(), ids.traceparent(span.trace, span.id), end)


def follow(describe, is_async=False, comments=None):
    """A wrapper for a method of a cursor or client: `describe(self, *arguments)` gives name and attributes.

    `comments(self, args, kwargs)` says whether the query is one that may be given a comment.
    """
    comments = comments if config.sqlcommenter() else None

    def sent(self, args, kwargs, span):
        """The arguments that go out."""
        try:
            if comments is not None and span is not None and args and comments(self, args, kwargs):
                return (commented(args[0], span),) + args[1:]
        except Exception as error:
            faults.note("sqlcommenter", error)
        return args

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
                with calls.around(*opened) as span:
                    return original(self, *sent(self, args, kwargs, span), **kwargs)
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
                with calls.around(*opened) as span:
                    return await original(self, *sent(self, args, kwargs, span), **kwargs)
            except BaseException as error:
                calls.hide(error)
                raise

        return method

    return asynchronous if is_async else synchronous
