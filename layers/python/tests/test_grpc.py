"""Calls of grpcio, plain and asynchronous, of a server of its own that says which context arrived."""

import unittest

from . import world
from .test_calls import Case

SERVER = '''
import grpc, threading
from concurrent import futures
def context(call):
    return ",".join(value for name, value in call.invocation_metadata() if name == "traceparent").encode()
def get(request, call):
    if request == b"missing":
        call.abort(grpc.StatusCode.NOT_FOUND, "no such order")
    return context(call)
def several(request, call):
    for n in range(3):
        yield context(call)
    if request == b"missing":
        call.abort(grpc.StatusCode.NOT_FOUND, "no such order")
    if request == b"slow":
        ended = threading.Event()
        call.add_callback(ended.set)
        ended.wait(30)
def count(requests, call):
    return str(len(list(requests))).encode() + b" " + context(call)
def echo(requests, call):
    for one in requests:
        yield one
methods = {
    "Get": grpc.unary_unary_rpc_method_handler(get),
    "List": grpc.unary_stream_rpc_method_handler(several),
    "Count": grpc.stream_unary_rpc_method_handler(count),
    "Echo": grpc.stream_stream_rpc_method_handler(echo),
}
server = grpc.server(futures.ThreadPoolExecutor(8))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.Orders", methods),))
address = "127.0.0.1:%d" % server.add_insecure_port("127.0.0.1:0")
server.start()
'''
PLAIN = "channel = grpc.insecure_channel(address)\n"
ASYNCHRONOUS = "import asyncio, grpc.aio\nasync def go():\n    async with grpc.aio.insecure_channel('dns:///' + address) as channel:\n%s\nreturn asyncio.run(go())"


class Grpc(Case):
    def plain(self, body, **more):
        return self.call(PLAIN + body, needs=("grpc",), top=SERVER, **more)

    def asynchronous(self, body, **more):
        lines = "\n".join("        " + line for line in body.split("\n"))
        return self.call(ASYNCHRONOUS % lines, needs=("grpc",), top=SERVER, **more)

    def header(self, span):
        return "00-%s-%s-01" % (world.TRACE, span["spanId"])

    def told(self, span):
        said = span["attributes"]
        return span["name"], said.get("rpc.response.status_code"), said.get("error.type")


class Plain(Grpc):
    def test_one_answer(self):
        spans, _, lines = self.plain(
            "get = channel.unary_unary('/shop.Orders/Get')\n"
            "response, call = get.with_call(b'7', timeout=9, metadata=[('a', 'b')])\n"
            "return [get(b'7').decode(), response.decode(), get.future(b'7').result().decode(), call.code().name]"
        )
        *calls, invocation = spans
        self.assertEqual([self.told(call) for call in calls], [("shop.Orders/Get", "OK", None)] * 3)
        # They began in another order than they are in the answer.
        second, first, third = map(self.header, calls)
        self.assertEqual(lines, [{"answer": [first, second, third, "OK"]}])
        said = calls[0]["attributes"]
        self.assertEqual((said["rpc.system.name"], said["rpc.method"], said["server.address"]), ("grpc", "shop.Orders/Get", "127.0.0.1"))
        self.assertGreater(said["server.port"], 0)
        self.assertEqual((calls[0]["kind"], calls[0]["parentSpanId"]), (3, invocation["spanId"]))

    def test_errors(self):
        spans, _, lines = self.plain(
            "get, found = channel.unary_unary('/shop.Orders/Get'), []\n"
            "for call in (lambda: get(b'missing'), lambda: get.future(b'missing').result(), lambda: list(channel.unary_stream('/shop.Orders/List')(b'missing')),\n"
            "             lambda: channel.unary_unary('/shop.Orders/Nothing')(b''), lambda: list(channel.unary_stream('/shop.Orders/List')(b'slow', timeout=0.2))):\n"
            "    try:\n        call()\n    except grpc.RpcError as e:\n        found.append([type(e).__name__, e.code().name, e.details()])\n"
            "return found"
        )
        codes = ["NOT_FOUND"] * 3 + ["UNIMPLEMENTED", "DEADLINE_EXCEEDED"]
        self.assertEqual([told[1] for told in lines[0]["answer"]], codes)
        self.assertEqual(lines[0]["answer"][0], ["_InactiveRpcError", "NOT_FOUND", "no such order"])
        *calls, invocation = spans
        self.assertEqual([self.told(call)[1:] for call in calls], [(code, code) for code in codes])
        self.assertEqual(calls[0]["status"], {"code": 2, "message": "no such order"})
        self.assertNotIn("status", invocation)

    def test_streams(self):
        spans, _, lines = self.plain(
            "several = [one.decode() for one in channel.unary_stream('/shop.Orders/List')(b'7')]\n"
            "count = channel.stream_unary('/shop.Orders/Count')(iter([b'a', b'b'])).decode()\n"
            "echo = [one.decode() for one in channel.stream_stream('/shop.Orders/Echo')(iter([b'a', b'b']))]\n"
            "return [several, count, echo]"
        )
        several, count, echo, _ = spans
        self.assertEqual([self.told(call) for call in (several, count, echo)], [("shop.Orders/" + name, "OK", None) for name in ("List", "Count", "Echo")])
        self.assertEqual(lines[0]["answer"], [[self.header(several)] * 3, "2 " + self.header(count), ["a", "b"]])

    def test_a_stream_that_is_given_up_ends(self):
        spans, _, lines = self.plain(
            "stream = channel.unary_stream('/shop.Orders/List')(b'slow')\nnext(stream)\nstream.cancel()\n"
            "try:\n    list(stream)\nexcept grpc.RpcError as e:\n    first = e.code().name\n"
            "import gc\ngc.disable()\nstream = channel.unary_stream('/shop.Orders/List')(b'slow')\nnext(stream)\ndel stream\n"
            "import time\ntime.sleep(0.5)\nreturn first"
        )
        self.assertEqual(lines, [{"answer": "CANCELLED"}])
        self.assertEqual([self.told(call) for call in spans[:-1]], [("shop.Orders/List", "CANCELLED", "CANCELLED")] * 2)

    def test_interceptors_and_own_contexts_stay(self):
        own = "00-%s-%s-01" % ("a" * 32, "b" * 16)
        spans, _, lines = self.plain(
            "class Own(grpc.UnaryUnaryClientInterceptor):\n    def intercept_unary_unary(self, go_on, details, request):\n        return go_on(details, request)\n"
            "get = grpc.intercept_channel(channel, Own()).unary_unary('/shop.Orders/Get')\nmetadata = (('traceparent', %r),)\n"
            "return [get(b'7').decode(), get(b'7', metadata=metadata).decode(), metadata]" % own
        )
        first, second, _ = spans
        self.assertEqual(lines[0]["answer"], [self.header(first), own, [["traceparent", own]]])
        self.assertEqual(self.told(second), ("shop.Orders/Get", "OK", None))

    def test_it_can_be_switched_off(self):
        body = "return channel.unary_unary('/shop.Orders/Get')(b'7').decode()"
        for off in ("grpc", "libraries", "all"):
            with self.subTest(off):
                self.extension.requests.clear()
                spans, _, lines = self.plain(body, env={"THROUGHLINE_HOOKS_OFF": off})
                self.assertEqual((lines, [span["name"] for span in spans]), ([{"answer": ""}], ["orders"]))

    def test_nothing_of_it_is_loaded_for_a_function_without(self):
        _, _, lines = self.call("import sys\nreturn [name for name in sys.modules if name.split('.')[-1].startswith('grpc')]", needs=("grpc",))
        self.assertEqual(lines, [{"answer": []}])


class Asynchronous(Grpc):
    def test_one_answer(self):
        spans, _, lines = self.asynchronous(
            "get = channel.unary_unary('/shop.Orders/Get')\nmetadata = grpc.aio.Metadata(('a', 'b'))\n"
            "answers = await asyncio.gather(get(b'7'), get(b'7', metadata=metadata), get(b'7', metadata=(('a', 'b'),)))\n"
            "return [[one.decode() for one in answers], len(metadata)]"
        )
        *calls, invocation = spans
        self.assertEqual([self.told(call) for call in calls], [("shop.Orders/Get", "OK", None)] * 3)
        answers, count = lines[0]["answer"]
        self.assertEqual((sorted(answers), count), (sorted(map(self.header, calls)), 1))
        self.assertEqual((calls[0]["attributes"]["server.address"], calls[0]["parentSpanId"]), ("127.0.0.1", invocation["spanId"]))

    def test_errors(self):
        spans, _, lines = self.asynchronous(
            "found = []\n"
            "async def all_of(stream):\n    return [one async for one in stream]\n"
            "for call in (channel.unary_unary('/shop.Orders/Get')(b'missing'), all_of(channel.unary_stream('/shop.Orders/List')(b'missing')),\n"
            "             all_of(channel.unary_stream('/shop.Orders/List')(b'slow', timeout=0.2))):\n"
            "    try:\n        await call\n    except grpc.aio.AioRpcError as e:\n        found.append([e.code().name, e.details()])\n"
            "return found"
        )
        codes = ["NOT_FOUND", "NOT_FOUND", "DEADLINE_EXCEEDED"]
        self.assertEqual([told[0] for told in lines[0]["answer"]], codes)
        calls = sorted(spans[:-1], key=lambda span: int(span["startTimeUnixNano"]))
        self.assertEqual([self.told(call)[1:] for call in calls], [(code, code) for code in codes])
        self.assertEqual(calls[0]["status"], {"code": 2, "message": "no such order"})

    def test_streams(self):
        spans, _, lines = self.asynchronous(
            "several = [one.decode() async for one in channel.unary_stream('/shop.Orders/List')(b'7')]\n"
            "count = (await channel.stream_unary('/shop.Orders/Count')(iter([b'a', b'b']))).decode()\n"
            "echo = channel.stream_stream('/shop.Orders/Echo')()\nawait echo.write(b'a')\nawait echo.done_writing()\n"
            "return [several, count, (await echo.read()).decode(), (await echo.code()).name]"
        )
        several, count, echo, _ = spans
        self.assertEqual([self.told(call) for call in (several, count, echo)], [("shop.Orders/" + name, "OK", None) for name in ("List", "Count", "Echo")])
        self.assertEqual(lines[0]["answer"], [[self.header(several)] * 3, "2 " + self.header(count), "a", "OK"])

    def test_a_call_that_is_given_up_ends(self):
        spans, _, _ = self.asynchronous(
            "import gc\ngc.disable()\nget = channel.unary_stream('/shop.Orders/List')\n"
            "first, second = get(b'slow'), get(b'slow')\nawait first.read()\nawait second.read()\nfirst.cancel()\ndel first, second\nawait asyncio.sleep(0.5)"
        )
        self.assertEqual([self.told(call) for call in spans[:-1]], [("shop.Orders/List", "CANCELLED", "CANCELLED")] * 2)

    def test_interceptors(self):
        spans, _, lines = self.call(
            "import asyncio, grpc.aio\nclass Own(grpc.aio.UnaryUnaryClientInterceptor):\n"
            "    async def intercept_unary_unary(self, go_on, details, request):\n        return await go_on(details, request)\n"
            "async def go():\n    async with grpc.aio.insecure_channel(address, interceptors=[Own()]) as channel:\n"
            "        get = channel.unary_unary('/shop.Orders/Get')\n        answer = (await get(b'7')).decode()\n"
            "        try:\n            await get(b'missing')\n        except grpc.aio.AioRpcError as e:\n            return [answer, e.code().name]\n"
            "return asyncio.run(go())",
            needs=("grpc",),
            top=SERVER,
        )
        first, second, _ = spans
        self.assertEqual(lines, [{"answer": [self.header(first), "NOT_FOUND"]}])
        self.assertEqual((self.told(first)[1], self.told(second)[1]), ("OK", "NOT_FOUND"))


if __name__ == "__main__":
    unittest.main()
