"""psycopg 3: its cursors, plain and asynchronous."""

from . import calls, database


def put_in(module):
    """Follows `execute` and `executemany` of the cursors that there are."""
    for name in ("Cursor", "ClientCursor", "ServerCursor", "AsyncCursor", "AsyncClientCursor", "AsyncServerCursor"):
        cursor = getattr(module, name, None)
        for method in ("execute", "executemany"):
            if cursor is not None and method in vars(cursor):
                comments = _is_plain if method == "execute" else None
                calls.wrap(cursor, method, database.follow(_describe, name.startswith("Async"), comments))


def _is_plain(cursor, args, kwargs):
    """Whether the statement is not going to be prepared; psycopg prepares by itself what comes often and unchanged."""
    prepared = kwargs.get("prepare")
    if prepared is None:
        return getattr(cursor.connection, "prepare_threshold", None) is None
    return prepared is False


def _describe(cursor, query="", *_):
    info = cursor.connection.info
    text = query if isinstance(query, (str, bytes)) else query.as_string(cursor)
    return database.sql("postgresql", text, db__namespace=info.dbname, server__address=info.host, server__port=info.port)
