"""Drivers against real servers: THROUGHLINE_SERVERS names the interpreter that has them, THROUGHLINE_KAFKA Kafka's broker,
THROUGHLINE_DEBIAN the folder with MariaDB and RabbitMQ, THROUGHLINE_MONGO the one with what speaks MongoDB's protocol."""

import json
import os
import subprocess
import unittest
from pathlib import Path

from . import world
from .test_calls import Case

PYTHON, KAFKA, DEBIAN, MONGO = (os.environ.get("THROUGHLINE_" + name) for name in ("SERVERS", "KAFKA", "DEBIAN", "MONGO"))
COMMENTS = {"THROUGHLINE_SQLCOMMENTER": "on"}
POSTGRES = "settings = dict(host='127.0.0.1', port=%d, user='postgres', dbname='postgres')\n"


class Served(Case):
    """With servers that run while its tests do."""

    servers = ()

    @classmethod
    def setUpClass(cls):
        program = Path(__file__).parents[2] / "servers.py"
        cls.process = subprocess.Popen([PYTHON, program, *cls.servers], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        cls.ports = json.loads(cls.process.stdout.readline())

    @classmethod
    def tearDownClass(cls):
        cls.process.communicate()

    def names(self, spans):
        """Of all but the invocation."""
        return [span["name"] for span in spans[:-1]]


@unittest.skipUnless(PYTHON, "THROUGHLINE_SERVERS names no interpreter with servers")
class Stores(Served):
    servers = ("redis", "postgres")

    def postgres(self, body, needs, env=None):
        return self.call(POSTGRES % self.ports["postgres"] + body, needs=needs, env=env)

    def test_redis(self):
        spans, _, lines = self.call(
            "import redis\nr = redis.Redis(port=%d)\nr.set('order', 'secret')\ngot = r.get('order').decode()\n"
            "p = r.pipeline()\np.incr('n')\np.incr('n')\ngot = [got, p.execute()]\n"
            "try:\n    r.incr('order')\nexcept redis.ResponseError as e:\n    return got + [type(e).__name__]" % self.ports["redis"],
            needs=("redis",),
        )
        self.assertEqual(lines, [{"answer": ["secret", [1, 2], "ResponseError"]}])
        self.assertEqual(self.names(spans), ["SET", "GET", "PIPELINE", "INCRBY"])
        self.assertEqual(spans[3]["attributes"]["error.type"], "ResponseError")
        self.assertEqual(spans[0]["attributes"]["server.port"], self.ports["redis"])
        self.assertNotIn("secret", json.dumps(spans[:-1]))

    def test_redis_asynchronous(self):
        spans, _, lines = self.call(
            "import asyncio, redis.asyncio as redis\nasync def go():\n    r = redis.Redis(port=%d)\n"
            "    await asyncio.gather(*(r.set('k%%d' %% n, n) for n in range(10)))\n    got = [int(await r.get('k%%d' %% n)) for n in range(10)]\n"
            "    await r.aclose()\n    return got\nreturn asyncio.run(go())" % self.ports["redis"],
            needs=("redis",),
        )
        self.assertEqual(lines, [{"answer": list(range(10))}])
        self.assertEqual(self.names(spans), ["SET"] * 10 + ["GET"] * 10)

    def test_psycopg(self):
        spans, _, lines = self.postgres(
            "import psycopg\nwith psycopg.connect(**settings) as c:\n    c.execute('CREATE TEMP TABLE orders (id int, name text)')\n"
            "    with c.cursor() as k:\n        k.executemany('INSERT INTO orders VALUES (%s, %s)', [(1, 'ann'), (2, 'bob')])\n"
            "        k.execute('SELECT name FROM orders WHERE id = %s', (2,))\n        got = k.fetchone()[0]\n"
            "        try:\n            k.execute('SELECT * FROM nowhere')\n        except psycopg.errors.UndefinedTable as e:\n            return [got, type(e).__name__]",
            needs=("psycopg",),
        )
        self.assertEqual(lines, [{"answer": ["bob", "UndefinedTable"]}])
        self.assertEqual(self.names(spans), ["CREATE orders", "INSERT orders", "SELECT orders", "SELECT nowhere"])
        self.assertEqual(spans[3]["attributes"]["error.type"], "UndefinedTable")
        self.assertEqual((spans[2]["attributes"]["db.namespace"], spans[2]["attributes"]["server.port"]), ("postgres", self.ports["postgres"]))

    def test_psycopg_asynchronous(self):
        spans, _, lines = self.postgres(
            "import asyncio, psycopg\nasync def go():\n    async with await psycopg.AsyncConnection.connect(**settings) as c:\n"
            "        k = await c.execute('SELECT 7')\n        return (await k.fetchone())[0]\nreturn asyncio.run(go())",
            needs=("psycopg",),
        )
        self.assertEqual(lines, [{"answer": 7}])
        self.assertEqual(self.names(spans), ["SELECT"])

    def test_psycopg2(self):
        spans, _, lines = self.postgres(
            "import psycopg2\nc = psycopg2.connect(**settings)\nwith c, c.cursor() as k:\n"
            "    k.execute('SELECT %s::int + 1', (6,))\n    return k.fetchone()[0]",
            needs=("psycopg2",),
        )
        self.assertEqual(lines, [{"answer": 7}])
        self.assertEqual(self.names(spans), ["SELECT"])

    def test_a_comment_arrives_and_is_never_prepared(self):
        own = "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        for needs, body in (
            ("psycopg", "import psycopg\nc = psycopg.connect(**settings, prepare_threshold=None)\nreturn c.execute(%r).fetchone()[0]" % own),
            ("psycopg2", "import psycopg2\nk = psycopg2.connect(**settings).cursor()\nk.execute(%r)\nreturn k.fetchone()[0]" % own),
        ):
            with self.subTest(needs):
                self.extension.requests.clear()
                spans, _, lines = self.postgres(body, needs=(needs,), env=COMMENTS)
                self.assertEqual(lines[-1]["answer"], "%s /*traceparent='00-%s-%s-01'*/" % (own, world.TRACE, spans[0]["spanId"]))
        self.extension.requests.clear()
        _, _, lines = self.postgres(
            "import psycopg\nc = psycopg.connect(**settings, autocommit=True)\n"
            "for n in range(9):\n    c.execute('SELECT %s::int', (n,))\nc.execute('SELECT 99', prepare=True)\n"
            "return sorted(row[0] for row in c.execute('SELECT statement FROM pg_prepared_statements').fetchall())",
            needs=("psycopg",),
            env=COMMENTS,
        )
        self.assertEqual(lines[-1]["answer"], ["SELECT $1::int", "SELECT 99"])


@unittest.skipUnless(PYTHON and KAFKA, "THROUGHLINE_SERVERS or THROUGHLINE_KAFKA are not set")
class Broker(Served):
    servers = ("kafka",)
    CONSUMED = (
        "from kafka import KafkaConsumer\nfound = KafkaConsumer(%r, bootstrap_servers='127.0.0.1:%d', auto_offset_reset='earliest', consumer_timeout_ms=30000)\n"
        "record = next(found)\nreturn [record.topic, record.partition, record.offset, dict(record.headers)['traceparent'].decode()]"
    )

    def arrived(self, topic, produce, needs):
        spans, _, lines = self.call(produce % self.ports["kafka"] + self.CONSUMED % (topic, self.ports["kafka"]), needs=(*needs, "kafka"))
        *place, header = lines[-1]["answer"]
        (sent,) = [span for span in spans if span["kind"] == 4]
        self.assertEqual(sent["attributes"]["throughline.link.out"], ["kafka:%s/%d/%d" % tuple(place)])
        self.assertEqual(header, "00-%s-%s-01" % (world.TRACE, sent["spanId"]))

    def test_kafka_python(self):
        self.arrived(
            "first",
            "from kafka import KafkaProducer\np = KafkaProducer(bootstrap_servers='127.0.0.1:%d')\np.send('first', b'v').get(60)\n",
            ("kafka",),
        )

    def test_confluent_kafka(self):
        self.arrived(
            "second",
            "from confluent_kafka import Producer\np = Producer({'bootstrap.servers': '127.0.0.1:%d'})\np.produce('second', b'v')\np.flush(60)\n",
            ("confluent_kafka",),
        )


@unittest.skipUnless(PYTHON and DEBIAN, "THROUGHLINE_SERVERS or THROUGHLINE_DEBIAN are not set")
class FromDebian(Served):
    servers = ("mariadb", "rabbitmq")

    def mysql(self, body, env=None):
        connected = "import pymysql\nc = pymysql.connect(host='127.0.0.1', port=%d, user='root', database='shop')\nk = c.cursor()\n"
        return self.call(connected % self.ports["mariadb"] + body, needs=("pymysql",), env=env)

    def test_pymysql(self):
        spans, _, lines = self.mysql(
            "k.execute('CREATE TEMPORARY TABLE orders (id int, name text)')\n"
            "k.executemany('INSERT INTO orders VALUES (%s, %s)', [(1, 'ann'), (2, 'bob')])\n"
            "k.execute('SELECT name FROM orders WHERE id = %s', (2,))\ngot = k.fetchone()[0]\n"
            "try:\n    k.execute('SELECT * FROM nowhere')\nexcept pymysql.err.ProgrammingError as e:\n    return [got, e.args[0]]"
        )
        self.assertEqual(lines, [{"answer": ["bob", 1146]}])
        self.assertEqual(self.names(spans), ["CREATE orders", "INSERT orders", "SELECT orders", "SELECT nowhere"])
        self.assertEqual(spans[3]["attributes"]["error.type"], "ProgrammingError")
        said = spans[2]["attributes"]
        self.assertEqual((said["db.namespace"], said["server.port"]), ("shop", self.ports["mariadb"]))

    def test_a_comment_arrives(self):
        own = "SELECT info FROM information_schema.processlist WHERE id = connection_id()"
        spans, _, lines = self.mysql("k.execute(%r)\nreturn k.fetchone()[0]" % own, env=COMMENTS)
        self.assertEqual(lines, [{"answer": "%s /*traceparent='00-%s-%s-01'*/" % (own, world.TRACE, spans[0]["spanId"])}])

    def test_pika(self):
        spans, _, lines = self.call(
            "import pika\nchannel = pika.BlockingConnection(pika.ConnectionParameters('127.0.0.1', %d)).channel()\n"
            "channel.queue_declare('orders')\nmine = pika.BasicProperties(message_id='m', headers={'a': 'b'})\n"
            "channel.basic_publish('', 'orders', b'x', mine)\nchannel.basic_publish('', 'orders', b'y')\nchannel.confirm_delivery()\n"
            "channel.basic_publish('', 'orders', b'z')\ngot = [channel.basic_get('orders', auto_ack=True) for n in range(3)]\n"
            "return [[body.decode(), properties.headers] for _, properties, body in got] + [mine.headers]" % self.ports["rabbitmq"],
            needs=("pika",),
        )
        header = lambda at: {"traceparent": "00-%s-%s-01" % (world.TRACE, spans[at]["spanId"])}
        self.assertEqual(lines, [{"answer": [["x", {"a": "b", **header(0)}], ["y", header(1)], ["z", header(2)], {"a": "b"}]}])
        self.assertEqual(self.names(spans), ["send orders"] * 3)
        self.assertEqual(spans[0]["attributes"]["throughline.link.out"], ["mq:m"])


@unittest.skipUnless(PYTHON and MONGO, "THROUGHLINE_SERVERS or THROUGHLINE_MONGO are not set")
class Documents(Served):
    servers = ("mongodb",)

    def test_pymongo(self):
        spans, _, lines = self.call(
            "import pymongo\norders = pymongo.MongoClient('127.0.0.1', %d).shop.orders\n"
            "orders.create_index('number', unique=True)\norders.insert_one({'number': 7, 'name': 'ann'})\n"
            "got = [row['name'] for row in orders.find({'number': 7})]\n"
            "got.append(orders.update_one({'number': 7}, {'$set': {'name': 'bob'}}).modified_count)\n"
            "try:\n    orders.insert_one({'number': 7})\nexcept pymongo.errors.DuplicateKeyError as e:\n    return got + [e.code]"
            % self.ports["mongodb"],
            needs=("pymongo",),
        )
        self.assertEqual(lines, [{"answer": ["ann", 1, 11000]}])
        self.assertEqual(self.names(spans), ["createIndexes orders", "insert orders", "find orders", "update orders", "insert orders"])
        said = spans[2]["attributes"]
        self.assertEqual((said["db.namespace"], said["server.port"]), ("shop", self.ports["mongodb"]))
        self.assertNotIn("ann", json.dumps(spans[:-1]))


if __name__ == "__main__":
    unittest.main()
