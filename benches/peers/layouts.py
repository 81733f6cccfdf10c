"""How each peer keeps the corpus, and how it is asked. Values here are words of the corpus: they hold no quotes."""

from pathlib import Path


class ClickHouse:
    """ClickHouse's engine in this process, with MergeTree tables."""

    def __init__(self, data, source):
        import chdb
        from chdb import session

        self.version = f"chdb {chdb.__version__}"
        self.data, self.source = Path(data), Path(source)
        self.session = session.Session(str(data))
        self.run("CREATE DATABASE bench")
        self.run("USE bench")
        for statement in self.tables:
            self.run(statement)

    def run(self, sql):
        return self.session.query(sql, "TabSeparated")

    def rows(self, sql):
        """How many rows come back."""
        return len(self.run(sql).bytes().splitlines())

    def value(self, sql):
        return int(self.run(sql).bytes() or b"0")

    def files(self, signal):
        name = {"spans": "traces", "logs": "logs"}[signal]
        return f"file('{self.source.absolute()}/{name}-*.parquet', Parquet)"

    def count(self, signal):
        return self.value(f"SELECT count() FROM bench.{self.names[signal]}")

    def settle(self, signal):
        for table in [self.names[signal], *self.more.get(signal, [])]:
            self.run(f"OPTIMIZE TABLE bench.{table} FINAL")

    def bytes(self, signal):
        tables = "','".join([self.names[signal], *self.more.get(signal, [])])
        return self.value(
            f"SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'bench' AND table IN ('{tables}')"
        )

    def close(self):
        self.session.close()


def nested(prefix, types=("bool", "double", "int", "str", "complex")):
    kinds = {"bool": "Bool", "double": "Float64", "int": "Int64", "str": "String", "complex": "String"}
    return ", ".join(f"{prefix}{name}_attributes Nested(key String, value {kinds[name]})" for name in types)


class Jaeger(ClickHouse):
    """Spans as Jaeger 2 keeps them: attributes by type in nested lists, sorted by service, name and time, bloom filters
    over granules, and a table of when each trace began and ended."""

    signals = ["spans"]
    names = {"spans": "spans"}
    more = {"spans": ["trace_id_timestamps"]}
    tables = [
        f"""CREATE TABLE spans (
            id String, trace_id String, trace_state String, parent_span_id String, name String, kind String,
            start_time DateTime64(9), status_code String, status_message String, duration Int64,
            {nested("")},
            events Nested(name String, timestamp DateTime64(9), {nested("")}),
            links Nested(trace_id String, span_id String, trace_state String),
            service_name String, {nested("resource_")}, scope_name String, scope_version String,
            INDEX by_trace trace_id TYPE bloom_filter GRANULARITY 1,
            INDEX by_time start_time TYPE minmax GRANULARITY 1,
            INDEX by_duration duration TYPE minmax GRANULARITY 1,
            INDEX by_key str_attributes.key TYPE bloom_filter GRANULARITY 1,
            INDEX by_value str_attributes.value TYPE bloom_filter GRANULARITY 1,
            INDEX by_resource_key resource_str_attributes.key TYPE bloom_filter GRANULARITY 1,
            INDEX by_resource_value resource_str_attributes.value TYPE bloom_filter GRANULARITY 1
        ) ENGINE = MergeTree PARTITION BY toDate(start_time) ORDER BY (service_name, name, toDateTime(start_time))""",
        """CREATE TABLE trace_id_timestamps (trace_id String, start DateTime64(9), end DateTime64(9))
        ENGINE = MergeTree ORDER BY trace_id""",
        """CREATE MATERIALIZED VIEW trace_id_timestamps_mv TO trace_id_timestamps AS
        SELECT trace_id, min(start_time) AS start, max(start_time) AS end FROM spans GROUP BY trace_id""",
    ]

    def load(self, signal):
        columns = {
            "id": "span_id",
            "trace_id": "trace_id",
            "parent_span_id": "parent_span_id",
            "name": "name",
            "kind": "kind",
            "start_time": "fromUnixTimestamp64Nano(start_nanos)",
            "status_code": "status",
            "status_message": "status_message",
            "duration": "duration_nanos",
            "service_name": "service",
            "scope_name": "scope_name",
            "scope_version": "scope_version",
            "events.name": "event_names",
            "events.timestamp": "arrayMap(t -> fromUnixTimestamp64Nano(t), event_times)",
            "events.str_attributes": "arrayMap(m -> arrayZip(mapKeys(m), mapValues(m)), event_attributes)",
            "links.trace_id": "link_trace_ids",
            "links.span_id": "link_span_ids",
            "links.trace_state": "arrayMap(t -> '', link_trace_ids)",
            "resource_str_attributes.key": "mapKeys(resource)",
            "resource_str_attributes.value": "mapValues(resource)",
        }
        for kind in ["bool", "double", "int", "complex"]:
            columns[f"events.{kind}_attributes"] = "arrayMap(t -> [], event_names)"
        for ours, theirs in [("texts", "str"), ("ints", "int"), ("doubles", "double"), ("flags", "bool")]:
            columns[f"{theirs}_attributes.key"] = f"mapKeys({ours})"
            columns[f"{theirs}_attributes.value"] = f"mapValues({ours})"
        names = ", ".join(f"`{name}`" for name in columns)
        self.run(f"INSERT INTO bench.spans ({names}) SELECT {', '.join(columns.values())} FROM {self.files(signal)}")

    def trace(self, trace):
        bounds = f"SELECT min(start), max(end) FROM bench.trace_id_timestamps WHERE trace_id = '{trace}'"
        first, last = self.run(bounds).bytes().decode().strip().split("\t")
        between = f"start_time BETWEEN '{first}' AND '{last}'"
        return self.rows(f"SELECT * FROM bench.spans WHERE trace_id = '{trace}' AND {between}")

    def newest(self, service, key, value):
        kind, literal = ("bool", str(value).lower()) if isinstance(value, bool) else ("str", f"'{value}'")
        columns = f"{kind}_attributes.key, {kind}_attributes.value"
        return self.rows(
            f"""SELECT trace_id, max(start_time) AS t FROM bench.spans WHERE service_name = '{service}'
            AND arrayExists((k, v) -> k = '{key}' AND v = {literal}, {columns})
            GROUP BY trace_id ORDER BY t DESC LIMIT 20"""
        )

    def group(self):
        return self.rows(
            """SELECT service_name, name, count() AS n, quantile(0.99)(duration) FROM bench.spans
            GROUP BY service_name, name ORDER BY n DESC LIMIT 100"""
        )


class ClickStack(ClickHouse):
    """Spans and log records as ClickStack keeps them: attributes as maps of text, filters over their keys and values,
    sorted by service, name and time, zstd."""

    signals = ["spans", "logs"]
    names = {"spans": "otel_traces", "logs": "otel_logs"}
    more = {"spans": ["otel_traces_trace_id_ts"]}
    zstd = "CODEC(ZSTD(1))"
    words = f"LowCardinality(String) {zstd}"
    maps = f"Map(LowCardinality(String), String) {zstd}"
    tables = [
        f"""CREATE TABLE otel_traces (
            Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)), TraceId String {zstd}, SpanId String {zstd},
            ParentSpanId String {zstd}, TraceState String {zstd}, SpanName {words}, SpanKind {words},
            ServiceName {words}, ResourceAttributes {maps}, ScopeName String {zstd}, ScopeVersion String {zstd},
            SpanAttributes {maps}, Duration UInt64 {zstd}, StatusCode {words}, StatusMessage String {zstd},
            `Events.Timestamp` Array(DateTime64(9)) {zstd}, `Events.Name` Array(LowCardinality(String)) {zstd},
            `Events.Attributes` Array(Map(LowCardinality(String), String)) {zstd},
            `Links.TraceId` Array(String) {zstd}, `Links.SpanId` Array(String) {zstd},
            INDEX by_trace TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
            INDEX by_resource_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
            INDEX by_resource_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
            INDEX by_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
            INDEX by_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
            INDEX by_duration Duration TYPE minmax GRANULARITY 1,
            INDEX by_name lower(SpanName) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8
        ) ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))""",
        f"""CREATE TABLE otel_logs (
            Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)), TimestampTime DateTime DEFAULT toDateTime(Timestamp),
            TraceId String {zstd}, SpanId String {zstd}, SeverityText {words}, SeverityNumber UInt8,
            ServiceName {words}, Body String {zstd}, ResourceAttributes {maps}, ScopeName String {zstd},
            ScopeVersion {words}, LogAttributes {maps},
            INDEX by_trace TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
            INDEX by_resource_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
            INDEX by_resource_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
            INDEX by_key mapKeys(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
            INDEX by_value mapValues(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
            INDEX by_word lower(Body) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8
        ) ENGINE = MergeTree PARTITION BY toDate(TimestampTime) PRIMARY KEY (ServiceName, TimestampTime)
        ORDER BY (ServiceName, TimestampTime, Timestamp)""",
        """CREATE TABLE otel_traces_trace_id_ts (
            TraceId String CODEC(ZSTD(1)), Start DateTime CODEC(Delta, ZSTD(1)), End DateTime CODEC(Delta, ZSTD(1)),
            INDEX by_trace TraceId TYPE bloom_filter(0.01) GRANULARITY 1
        ) ENGINE = MergeTree PARTITION BY toDate(Start) ORDER BY (TraceId, Start)""",
        """CREATE MATERIALIZED VIEW otel_traces_trace_id_ts_mv TO otel_traces_trace_id_ts AS
        SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End FROM otel_traces GROUP BY TraceId""",
    ]
    attributes = (
        "mapConcat(texts, mapApply((k, v) -> (k, toString(v)), ints),"
        " mapApply((k, v) -> (k, toString(v)), doubles), mapApply((k, v) -> (k, toString(v)), flags))"
    )

    def load(self, signal):
        shared = {
            "TraceId": "trace_id",
            "SpanId": "span_id",
            "ServiceName": "service",
            "ResourceAttributes": "resource",
            "ScopeName": "scope_name",
            "ScopeVersion": "scope_version",
        }
        spans = shared | {
            "Timestamp": "fromUnixTimestamp64Nano(start_nanos)",
            "ParentSpanId": "parent_span_id",
            "SpanName": "name",
            "SpanKind": "kind",
            "SpanAttributes": self.attributes,
            "Duration": "duration_nanos",
            "StatusCode": "status",
            "StatusMessage": "status_message",
            "Events.Timestamp": "arrayMap(t -> fromUnixTimestamp64Nano(t), event_times)",
            "Events.Name": "event_names",
            "Events.Attributes": "event_attributes",
            "Links.TraceId": "link_trace_ids",
            "Links.SpanId": "link_span_ids",
        }
        logs = shared | {
            "Timestamp": "fromUnixTimestamp64Nano(time_nanos)",
            "SeverityText": "severity_text",
            "SeverityNumber": "severity_number",
            "Body": "body",
            "LogAttributes": self.attributes,
        }
        columns = {"spans": spans, "logs": logs}[signal]
        names = ", ".join(f"`{name}`" for name in columns)
        self.run(
            f"INSERT INTO bench.{self.names[signal]} ({names})"
            f" SELECT {', '.join(columns.values())} FROM {self.files(signal)}"
        )

    def trace(self, trace):
        bounds = f"SELECT min(Start), max(End) + 1 FROM bench.otel_traces_trace_id_ts WHERE TraceId = '{trace}'"
        first, last = self.run(bounds).bytes().decode().strip().split("\t")
        between = f"Timestamp >= '{first}' AND Timestamp <= '{last}'"
        return self.rows(f"SELECT * FROM bench.otel_traces WHERE TraceId = '{trace}' AND {between}")

    def newest(self, service, key, value):
        text = str(value).lower() if isinstance(value, bool) else value
        return self.rows(
            f"""SELECT TraceId, max(Timestamp) AS t FROM bench.otel_traces WHERE ServiceName = '{service}'
            AND SpanAttributes['{key}'] = '{text}' GROUP BY TraceId ORDER BY t DESC LIMIT 20"""
        )

    def group(self):
        return self.rows(
            """SELECT ServiceName, SpanName, count() AS n, quantile(0.99)(Duration) FROM bench.otel_traces
            GROUP BY ServiceName, SpanName ORDER BY n DESC LIMIT 100"""
        )

    def token(self, word):
        return self.rows(
            f"""SELECT * FROM bench.otel_logs WHERE hasToken(lower(Body), '{word.split("_")[1]}')
            AND Body LIKE '%{word}%' ORDER BY Timestamp DESC LIMIT 20"""
        )

    def substring(self, text):
        return self.value(f"SELECT count() FROM bench.otel_logs WHERE Body LIKE '%{text}%'")


class DuckDb:
    """DuckDB's own file, rows as they arrive, ids as numbers, attributes as maps."""

    signals = ["spans", "logs"]

    def __init__(self, data, source):
        import duckdb

        self.version = f"duckdb {duckdb.__version__}"
        Path(data).mkdir(parents=True)
        self.folder, self.source = Path(data), Path(source)
        self.sizes = {}
        self.connections = {
            signal: duckdb.connect(str(self.folder / f"{signal}.duckdb")) for signal in self.signals
        }

    def rows(self, signal, sql):
        return len(self.connections[signal].execute(sql).fetchall())

    def load(self, signal):
        source = f"read_parquet('{self.source.absolute()}/{({'spans': 'traces'} | {'logs': 'logs'})[signal]}-*.parquet')"
        ids = "CAST(trace_id AS UUID) AS trace_id, CAST('0x' || span_id AS UBIGINT) AS span_id"
        if signal == "spans":
            parent = "CAST('0x' || nullif(parent_span_id, '') AS UBIGINT) AS parent_span_id"
            chosen = f"* REPLACE ({ids}, {parent})"
        else:
            chosen = f"* REPLACE ({ids})"
        self.connections[signal].execute(f"CREATE TABLE {signal} AS SELECT {chosen} FROM {source}")
        self.connections[signal].execute("CHECKPOINT")

    def count(self, signal):
        return self.connections[signal].execute(f"SELECT count(*) FROM {signal}").fetchone()[0]

    def settle(self, signal):
        pass

    def bytes(self, signal):
        return sum(path.stat().st_size for path in self.folder.glob(f"{signal}.duckdb*"))

    def trace(self, trace):
        return self.rows("spans", f"SELECT * FROM spans WHERE trace_id = CAST('{trace}' AS UUID)")

    def newest(self, service, key, value):
        column, literal = ("flags", str(value).lower()) if isinstance(value, bool) else ("texts", f"'{value}'")
        return self.rows(
            "spans",
            f"""SELECT trace_id, max(start_nanos) AS t FROM spans WHERE service = '{service}'
            AND {column}['{key}'] = {literal} GROUP BY trace_id ORDER BY t DESC LIMIT 20""",
        )

    def group(self):
        return self.rows(
            "spans",
            """SELECT service, name, count(*) AS n, approx_quantile(duration_nanos, 0.99) FROM spans
            GROUP BY service, name ORDER BY n DESC LIMIT 100""",
        )

    def token(self, word):
        where = f"contains(body, '{word}')"
        return self.rows("logs", f"SELECT * FROM logs WHERE {where} ORDER BY time_nanos DESC LIMIT 20")

    def substring(self, text):
        sql = f"SELECT count(*) FROM logs WHERE contains(body, '{text}')"
        return self.connections["logs"].execute(sql).fetchone()[0]

    def close(self):
        for connection in self.connections.values():
            connection.close()


PEERS = {"clickhouse-jaeger": Jaeger, "clickhouse-clickstack": ClickStack, "duckdb": DuckDb}
