import ast
import json
import random
import tempfile
import unittest
import uuid
from pathlib import Path
from unittest import mock

from traffic import deploy, misbehave, rhythm, shop, world
from traffic.truth import Truth


class Rhythm(unittest.TestCase):
    def test_a_day_has_as_many_users_as_told_and_most_in_the_evening(self):
        day = [rhythm.busyness(minute / 1440) for minute in range(1440)]
        self.assertAlmostEqual(sum(day) / len(day), 1, places=2)
        self.assertEqual(round(day.index(max(day)) / 60), 19)
        self.assertLess(min(day), max(day) / 10)


class World(unittest.TestCase):
    def test_it_is_always_the_same(self):
        self.assertEqual(list(world.restaurants()), list(world.restaurants()))
        self.assertEqual({restaurant["cuisine"] for restaurant in world.restaurants()}, set(world.CUISINES))

    def test_users_order_what_there_is(self):
        menus = {restaurant["id"]: restaurant["menu"] for restaurant in world.restaurants()}
        for seed in range(200):
            order = shop.wanted(random.Random(seed))
            for item in order["items"]:
                self.assertIn(item["dish"], menus[order["restaurant"]], seed)

    def test_the_same_dice_make_the_same_visit(self):
        def asked(seed):
            asks = []
            recorder = type("Recorder", (), {"ask": lambda self, *request: asks.append(request) or (200, b"")})()
            shop.visit(recorder, random.Random(seed))
            return asks

        self.assertEqual(asked(7), asked(7))
        self.assertNotEqual(asked(7), asked(8))


class Deploy(unittest.TestCase):
    def test_every_bad_release_is_a_program_with_one_change(self):
        for release in deploy.RELEASES:
            function, file, text = deploy.text_of(release)
            self.assertNotEqual(text, (deploy.HERE / function / file).read_text())
            compile(text, file, "exec")

    def test_one_release_is_rolled_back_without_the_others(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(deploy, "BUILD", Path(folder)):
            for function in deploy.PYTHON:
                (deploy.BUILD / function).mkdir()
            deploy.bad("memory-leak")
            deploy.bad("cost-leak")
            deploy.back("cost-leak")
            self.assertIn("placed = {}", (deploy.BUILD / "place-order" / "app.py").read_text())
            good = (deploy.HERE / "update-stats" / "app.py").read_text()
            self.assertEqual((deploy.BUILD / "update-stats" / "app.py").read_text(), good)

    def test_the_release_that_times_out_waits_for_a_quarter_of_the_orders_before_the_card_is_charged(self):
        class Waits(Exception):
            pass

        _, _, text = deploy.text_of("timeout")
        tree = ast.parse(text)
        place = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "place")
        known = mock.MagicMock()
        names = {name: getattr(known, name) for name in ("users", "restaurants", "orders", "topic", "payment")}
        names |= {"json": json, "uuid": uuid, "time": mock.Mock(sleep=mock.Mock(side_effect=Waits))}
        names["priced"] = lambda *_: {"total_cents": 1}
        exec(compile(ast.Module([place], []), "app.py", "exec"), names)
        known.payment.charge.return_value = "p-1"
        waited = 0
        for digit in "0123456789abcdef":
            try:
                names["place"]({"user": "u-1", "restaurant": "r-1"}, f"o-{digit}")
            except Waits:
                waited += 1
        self.assertEqual((waited, known.payment.charge.call_count), (4, 12))
        self.assertIn("import time\n", text)


class Misbehave(unittest.TestCase):
    def test_a_plan_follows_from_its_seed_and_does_not_overlap(self):
        names = list(misbehave.ALL)
        planned = misbehave.plan(names, 7, 60, 120)
        self.assertEqual(planned, misbehave.plan(names, 7, 60, 120))
        self.assertNotEqual(planned, misbehave.plan(names, 8, 60, 120))
        self.assertEqual([name for name, _, _ in planned], names)
        times = [time for _, start, end in planned for time in (start, end)]
        self.assertEqual(times, sorted(times))

    def test_some_orders_are_spoiled_in_their_quantities_alone(self):
        spoil, order = misbehave.spoiling(7), shop.wanted(random.Random(1))
        spoiled = [made for made in (spoil(order) for _ in range(400)) if made != order]
        self.assertTrue(60 < len(spoiled) < 140, len(spoiled))
        self.assertTrue(all(isinstance(item["quantity"], str) for item in spoiled[0]["items"]))

    def test_all_of_them_begin_and_end_in_any_order_and_leave_all_as_it_was(self):
        outside = mock.Mock()
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(deploy, "BUILD", Path(folder)):
            for function in deploy.PYTHON:
                (deploy.BUILD / function).mkdir()
            deploy.good()
            before = {file: file.read_text() for file in deploy.BUILD.glob("*/*.py")}
            for misbehaviour in misbehave.ALL.values():
                misbehaviour.begin(outside, 7)
            self.assertNotEqual({file: file.read_text() for file in before}, before)
            for misbehaviour in misbehave.ALL.values():
                misbehaviour.end(outside, 7)
            self.assertEqual({file: file.read_text() for file in before}, before)
        self.assertEqual([name for name, *_ in outside.method_calls],
                         ["pay_takes", "throttle", "fail", "unsubscribe", "pay_takes", "throttle", "fail", "subscribe"])

    def test_the_truth_says_what_where_and_when(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "truth.jsonl"
            for name, misbehaviour in misbehave.ALL.items():
                Truth(path).tell("start", name, misbehaviour, 7)
            lines = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertEqual([line["misbehaviour"] for line in lines], list(misbehave.ALL))
        self.assertEqual({line["seed"] for line in lines}, {7})
        self.assertTrue(all(line["where"] and line["what"] and line["unix_millis"] for line in lines))
