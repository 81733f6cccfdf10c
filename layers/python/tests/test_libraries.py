"""Libraries that a function may import, each as it comes from the registry; what is not installed is skipped."""

import unittest

from . import world
from .test_calls import Case, aws

REDIS = '''
import socket, threading
listener = socket.create_server(("127.0.0.1", 0))
def serve():
    while True:
        made, _ = listener.accept()
        threading.Thread(target=answer, args=(made,), daemon=True).start()
def answer(made):
    while True:
        data = made.recv(65536)
        if not data:
            return
        for _ in range(data.count(b"*")):
            made.sendall(b"+OK\\r\\n")
threading.Thread(target=serve, daemon=True).start()
'''


class Clients(Case):
    def carried(self, spans, requests):
        """The one call, whose context arrived."""
        call, invocation = spans
        headers = {name.lower(): value for name, value in requests[0][2].items()}
        self.assertEqual(headers["traceparent"], "00-%s-%s-01" % (world.TRACE, call["spanId"]))
        self.assertEqual(call["parentSpanId"], invocation["spanId"])
        self.assertEqual(call["attributes"]["http.response.status_code"], 200)
        self.assertRegex(call["attributes"]["url.full"], r"^http://127.0.0.1:\d+/a\?q=REDACTED$")

    def test_requests(self):
        spans, requests, _ = self.call("import requests\nrequests.get('http://127.0.0.1:%d/a?q=1' % port)", needs=("requests",))
        self.carried(spans, requests)

    def test_httpx(self):
        spans, requests, _ = self.call("import httpx\nhttpx.get('http://127.0.0.1:%d/a?q=1' % port)", needs=("httpx",))
        self.carried(spans, requests)

    def test_httpx_asynchronous(self):
        spans, requests, _ = self.call(
            "import asyncio, httpx\nasync def go():\n    async with httpx.AsyncClient() as c:\n"
            "        return (await c.get('http://127.0.0.1:%d/a?q=1' % port)).text\nreturn asyncio.run(go())",
            needs=("httpx",),
        )
        self.carried(spans, requests)

    def test_aiohttp(self):
        spans, requests, _ = self.call(
            "import asyncio, aiohttp\nasync def go():\n    async with aiohttp.ClientSession() as s:\n"
            "        async with s.get('http://127.0.0.1:%d/a?q=1' % port) as r:\n            return await r.text()\nreturn asyncio.run(go())",
            needs=("aiohttp",),
        )
        self.carried(spans, requests)

    def test_aiohttp_side_by_side(self):
        spans, requests, _ = self.call(
            "import asyncio, aiohttp\nasync def go():\n    async with aiohttp.ClientSession(headers={'a': 'b'}) as s:\n"
            "        async def one(n):\n            async with s.post('http://127.0.0.1:%d/%d' % (port, n), data='x') as r:\n                return await r.text()\n"
            "        return await asyncio.gather(*map(one, range(20)))\nasyncio.run(go())",
            needs=("aiohttp",),
        )
        sent = {request[2]["traceparent"].split("-")[2] for request in requests}
        self.assertEqual(sent, {span["spanId"] for span in spans[:-1]})
        self.assertEqual(len(sent), 20)


class AsynchronousAws(Case):
    def test_aiobotocore(self):
        spans, requests, lines = self.call(
            "import asyncio\nfrom aiobotocore.session import get_session\nasync def go():\n"
            "    settings = dict(endpoint_url='http://127.0.0.1:%d' % port, region_name='eu-west-1')\n"
            "    async with get_session().create_client('dynamodb', **settings) as c:\n"
            "        await c.put_item(TableName='t', Item={'id': {'S': '7'}})\n"
            "        try:\n            await c.get_item(TableName='t', Key={'id': {'S': '7'}})\n        except Exception as e:\n            return type(e).__name__\n"
            "return asyncio.run(go())",
            answer=aws,
            needs=("aiobotocore",),
        )
        put, get, invocation = spans
        self.assertEqual(lines, [{"answer": "ResourceNotFoundException"}])
        self.assertEqual(put["attributes"]["throughline.link.out"][0][:7], "ddbi:t/")
        self.assertEqual(get["attributes"]["error.type"], "ResourceNotFoundException")
        sent = [request[2]["X-Amzn-Trace-Id"].split("Parent=")[1][:16] for request in requests]
        self.assertEqual(sent, [put["spanId"], get["spanId"]])
        self.assertNotIn("x-amzn-trace-id", requests[0][2]["Authorization"].lower())


class Stores(Case):
    def test_redis(self):
        spans, _, _ = self.call(
            "import redis\nr = redis.Redis(port=listener.getsockname()[1], protocol=2, db=0)\nr.set('secret', 'value')\n"
            "p = r.pipeline(transaction=False)\np.set('a', 1)\np.set('b', 2)\np.execute()",
            needs=("redis",),
            top=REDIS,
        )
        *calls, _ = spans
        self.assertEqual([call["name"] for call in calls], ["SET", "PIPELINE"])
        self.assertEqual(calls[0]["attributes"]["db.query.text"], "SET ? ?")
        self.assertEqual(calls[0]["attributes"]["server.address"], "localhost")
        self.assertEqual(calls[1]["attributes"]["db.operation.batch.size"], 2)

    def test_redis_asynchronous(self):
        spans, _, _ = self.call(
            "import asyncio, redis.asyncio as redis\nasync def go():\n"
            "    r = redis.Redis(port=listener.getsockname()[1], protocol=2)\n    await r.set('a', 'b')\n    await r.aclose()\nasyncio.run(go())",
            needs=("redis",),
            top=REDIS,
        )
        self.assertEqual([span["name"] for span in spans], ["SET", "orders"])

    def test_pymysql(self):
        spans, _, _ = self.call(
            "import pymysql.cursors as c\nclass Connection:\n    db, host, port, encoding = b'shop', 'db.example', 3306, 'utf8'\n"
            "    def query(self, *_): raise c.err.OperationalError(1205, 'Lock wait timeout')\n    def escape(self, x, *_): return repr(x)\n"
            "    def literal(self, x): return repr(x)\n    def __getattr__(self, name): return None\n"
            "cursor = c.Cursor(Connection())\ntry:\n    cursor.execute('UPDATE orders SET n = %s WHERE id = 7', (1,))\n"
            "except c.err.OperationalError as e:\n    return str(e)",
            needs=("pymysql",),
        )
        call, _ = spans
        said = call["attributes"]
        self.assertEqual((call["name"], said["db.query.text"]), ("UPDATE orders", "UPDATE orders SET n = %s WHERE id = ?"))
        self.assertEqual((said["db.namespace"], said["server.address"], said["error.type"]), ("shop", "db.example", "OperationalError"))

    def test_pymongo(self):
        spans, _, _ = self.call(
            "from pymongo import monitoring as m\n(listener,) = m._LISTENERS.command_listeners\n"
            "start = lambda n, r: m.CommandStartedEvent({n: 'orders', '$db': 'shop'}, 'shop', r, ('db.example', 27017), 7)\n"
            "import datetime\nlistener.started(start('find', 1))\nlistener.started(start('insert', 2))\n"
            "took = datetime.timedelta(seconds=1)\n"
            "listener.failed(m.CommandFailedEvent(took, {'code': 11000, 'codeName': 'DuplicateKey', 'errmsg': 'x'}, 'insert', 2, ('db.example', 27017), 7))\n"
            "listener.succeeded(m.CommandSucceededEvent(took, {}, 'find', 1, ('db.example', 27017), 7))",
            needs=("pymongo",),
        )
        insert, find, _ = spans
        self.assertEqual((find["name"], insert["name"]), ("find orders", "insert orders"))
        self.assertEqual(insert["attributes"]["error.type"], "DuplicateKey")
        self.assertEqual(find["attributes"]["db.namespace"], "shop")

    def test_psycopg(self):
        spans, _, lines = self.call(
            "import psycopg\nfrom psycopg import sql\n"
            "class Cursor(psycopg.Cursor):\n    def __init__(self): pass\n"
            "    class connection:\n        class info: dbname, host, port = 'shop', 'db.example', 5432\n"
            "    _conn = property(lambda self: 1 / 0)\n"
            "try:\n    Cursor().execute('SELECT * FROM orders WHERE id = 7')\nexcept Exception as e:\n    return type(e).__name__",
            needs=("psycopg",),
        )
        call, _ = spans
        self.assertEqual((call["name"], call["attributes"]["db.query.text"]), ("SELECT orders", "SELECT * FROM orders WHERE id = ?"))
        self.assertEqual((call["attributes"]["db.system.name"], call["attributes"]["db.namespace"]), ("postgresql", "shop"))


class Brokers(Case):
    def test_kafka_python(self):
        spans, _, lines = self.call(
            "from kafka import KafkaProducer\nfrom kafka.producer import kafka as module\n"
            "send = KafkaProducer.send\nclass Future:\n    def add_callback(self, f):\n"
            "        f(type('Told', (), dict(topic='t', partition=2, offset=7)))\n    def add_errback(self, f): pass\n"
            "seen = []\n"
            "cell = send.__closure__[[c.cell_contents for c in send.__closure__].index(send.__wrapped__)]\n"
            "cell.cell_contents = lambda *a, **k: seen.append((a, k)) or Future()\n"
            "send(None, 't', b'v', headers=[('a', b'b')])\nreturn [(n, v.decode()) for n, v in seen[0][0][4]]",
            needs=("kafka",),
        )
        call, _ = spans
        self.assertEqual((call["name"], call["kind"]), ("send t", 4))
        self.assertEqual(call["attributes"]["throughline.link.out"], ["kafka:t/2/7"])
        header = "00-%s-%s-01" % (world.TRACE, call["spanId"])
        self.assertEqual(lines[-1]["answer"], [["a", "b"], ["traceparent", header]])

    def test_confluent_kafka(self):
        spans, _, lines = self.call(
            "from confluent_kafka import Producer\nfailed = []\n"
            "p = Producer({'bootstrap.servers': '127.0.0.1:1', 'message.timeout.ms': 100, 'log_level': 0})\n"
            "p.produce('t', b'v', on_delivery=lambda e, m: failed.append(e.name()))\n"
            "p.flush(10)\nreturn failed",
            needs=("confluent_kafka",),
        )
        call, _ = spans
        self.assertEqual(lines[-1]["answer"], ["_MSG_TIMED_OUT"])
        self.assertEqual(call["attributes"]["error.type"], "_MSG_TIMED_OUT")

    def test_pika(self):
        spans, _, lines = self.call(
            "from pika import channel, BasicProperties\nc = object.__new__(channel.Channel)\nseen = []\n"
            "c._raise_if_not_open = lambda: None\nc._send_method = lambda method, content: seen.append(content[0])\n"
            "mine = BasicProperties(message_id='m', headers={'a': 'b'})\n"
            "c.basic_publish('', 'q', b'x', mine)\nreturn [seen[0].headers, mine.headers]",
            needs=("pika",),
        )
        call, _ = spans
        header = "00-%s-%s-01" % (world.TRACE, call["spanId"])
        self.assertEqual(lines[-1]["answer"], [{"a": "b", "traceparent": header}, {"a": "b"}])
        self.assertEqual((call["name"], call["attributes"]["throughline.link.out"]), ("send q", ["mq:m"]))


OTEL = ("opentelemetry.trace",)


class OpenTelemetry(Case):
    def test_the_api_makes_our_spans(self):
        spans, requests, _ = self.call(
            "with tracer.start_as_current_span('outer', attributes={'n': 1, 'l': [1, 2]}) as s:\n"
            "    s.add_event('seen', {'a': True})\n    s.set_attribute('order', 7)\n"
            "    import urllib.request\n    urllib.request.urlopen('http://127.0.0.1:%d/' % port).read()\n"
            "    inner = tracer.start_span('inner', kind=trace.SpanKind.PRODUCER, links=[trace.Link(s.get_span_context())])\n"
            "    inner.set_status(trace.StatusCode.ERROR, 'bad')\n    inner.end()\n"
            "trace.get_current_span().set_attribute('on.invocation', 'x')",
            needs=OTEL,
            top="from opentelemetry import trace\ntracer = trace.get_tracer('mine', '1.0')",
        )
        by_name = {span["name"]: span for span in spans}
        outer, inner, http, invocation = (by_name[name] for name in ("outer", "inner", "GET", "orders"))
        self.assertEqual(outer["parentSpanId"], invocation["spanId"])
        self.assertEqual((inner["parentSpanId"], http["parentSpanId"]), (outer["spanId"],) * 2)
        self.assertEqual(requests[0][2]["traceparent"].split("-")[2], http["spanId"])
        self.assertEqual((outer["attributes"]["n"], outer["attributes"]["l"], outer["attributes"]["order"]), (1, [1, 2], 7))
        self.assertEqual((outer["scope"], inner["kind"]), ("mine", 4))
        self.assertEqual(inner["status"], {"code": 2, "message": "bad"})
        self.assertEqual(inner["links"][0]["spanId"], outer["spanId"])
        self.assertEqual(invocation["attributes"]["on.invocation"], "x")

    def test_an_exception_is_recorded_and_goes_on(self):
        spans, _, lines = self.call(
            "with trace.get_tracer('mine').start_as_current_span('work'):\n    raise ValueError('no')",
            needs=OTEL,
            top="from opentelemetry import trace",
        )
        work, invocation = spans
        self.assertEqual(work["status"], {"code": 2, "message": "ValueError: no"})
        self.assertEqual(work["events"][0]["attributes"]["exception.type"], "ValueError")
        self.assertEqual(lines[0]["error"]["errorType"], "ValueError")
        self.assertEqual(invocation["status"]["code"], 2)

    def test_asynchronous_code_keeps_its_spans_apart(self):
        spans, _, _ = self.call(
            "import asyncio\nasync def one(n):\n    with tracer.start_as_current_span('a%d' % n):\n        await asyncio.sleep(0.01)\n"
            "        with tracer.start_as_current_span('b%d' % n):\n            await asyncio.sleep(0)\n"
            "async def go():\n    await asyncio.gather(*map(one, range(10)))\nasyncio.run(go())",
            needs=OTEL,
            top="from opentelemetry import trace\ntracer = trace.get_tracer('mine')",
        )
        by_name = {span["name"]: span for span in spans}
        for n in range(10):
            self.assertEqual(by_name["b%d" % n]["parentSpanId"], by_name["a%d" % n]["spanId"])

    def test_an_sdk_of_the_function_takes_over(self):
        spans, _, lines = self.call(
            "with tracer.start_as_current_span('theirs') as s:\n    import urllib.request\n"
            "    urllib.request.urlopen('http://127.0.0.1:%d/' % port).read()\n"
            "    return [type(s).__module__, '%016x' % s.get_span_context().span_id, '%032x' % s.get_span_context().trace_id, len(out.get_finished_spans())]",
            needs=("opentelemetry.sdk",),
            top="from opentelemetry import trace\ntracer = trace.get_tracer('early')\n"
            "from opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
            "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
            "out = InMemorySpanExporter()\nprovider = TracerProvider()\nprovider.add_span_processor(SimpleSpanProcessor(out))\n"
            "trace.set_tracer_provider(provider)",
        )
        module, span, trace, _ = lines[-1]["answer"]
        self.assertEqual((module, trace), ("opentelemetry.sdk.trace", world.TRACE))
        self.assertEqual([one["name"] for one in spans], ["GET", "orders"])
        self.assertEqual(spans[0]["parentSpanId"], span)


if __name__ == "__main__":
    unittest.main()
