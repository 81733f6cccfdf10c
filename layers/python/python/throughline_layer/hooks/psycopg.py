"""psycopg 3: its cursors, plain and asynchronous."""

from . import calls, database


def put_in(module):
    """Follows `execute` and `executemany` of the cursors that there are."""
    for name in ("Cursor", "ClientCursor", "ServerCursor", "AsyncCursor", "AsyncClientCursor", "AsyncServerCursor"):
        cursor = getattr(module, name, None)
        for method in ("execute", "executemany"):
            if cursor is not None and method in vars(cursor):
                calls.wrap(cursor, method, database.follow(_describe, name.startswith("Async")))


def _describe(cursor, query="", *_):
    info = cursor.connection.info
    text = query if isinstance(query, (str, bytes)) else query.as_string(cursor)
    return database.sql("postgresql", text, db__namespace=info.dbname, server__address=info.host, server__port=info.port)
