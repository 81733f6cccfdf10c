"""psycopg2: its classes are of C, so connections are given a class of cursors that is derived from theirs."""

from .. import faults
from . import calls, database


def put_in(module):
    """Follows `connect`."""
    calls.wrap(module, "connect", lambda original: _connect(original, module))


def _connect(original, module):
    followed = {}

    def of(kind):
        if kind not in followed:
            new = followed[kind] = type(kind.__name__, (kind,), {})
            calls.wrap(new, "execute", database.follow(_describe, comments=lambda *_: True))
            calls.wrap(new, "executemany", database.follow(_describe))
        return followed[kind]

    def connect(*args, **kwargs):
        connection = original(*args, **kwargs)
        try:
            connection.cursor_factory = of(connection.cursor_factory or module.extensions.cursor)
        except Exception as error:
            faults.note("psycopg2", error)
        return connection

    return connect


def _describe(cursor, query="", *_):
    info = cursor.connection.info
    text = query if isinstance(query, (str, bytes)) else query.as_string(cursor)
    return database.sql("postgresql", text, db__namespace=info.dbname, server__address=info.host, server__port=info.port)
