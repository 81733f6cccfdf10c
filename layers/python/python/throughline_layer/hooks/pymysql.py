"""PyMySQL's cursors."""

from . import calls, database


def put_in(module):
    """Follows `execute` and `executemany`; the latter is made of the former, and is one call."""
    calls.wrap(module.Cursor, "execute", database.follow(_describe, comments=lambda *_: True))
    calls.wrap(module.Cursor, "executemany", database.follow(_describe))


def _describe(cursor, query="", *_):
    made = cursor.connection
    name = made.db.decode("utf-8", "replace") if isinstance(made.db, bytes) else made.db
    return database.sql("mysql", query, db__namespace=name, server__address=made.host, server__port=made.port)
