"""Plays users until its standard input ends. Every second a line of JSON says how many there were.

Arrivals, what users do, and what goes wrong when follow from the seed; how long answers take does not.
"""

import argparse
import json
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from traffic import deploy, misbehave, rhythm, world
from traffic.shop import ORDERS, Shop, visit
from traffic.truth import Truth

# More users at once are left out and counted: a slow machine gets fewer of them, not a queue.
OPEN_VISITS_MAX = 12
OPEN_BURST_MAX = 32
TICK_SECONDS = 0.05


def arguments():
    parser = argparse.ArgumentParser(prog="play traffic", description=__doc__)
    parser.add_argument("--shop", required=True, help="URL of the API")
    parser.add_argument("--aws", required=True, help="URL of AWS")
    parser.add_argument("--pay", required=True, help="URL of the payment provider")
    parser.add_argument("--rate", type=float, default=60, help="orders a minute, in the mean of a day")
    parser.add_argument("--day-minutes", type=float, default=10, help="how long a day takes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--misbehave", action="append", default=[], choices=misbehave.ALL, metavar="NAME",
                        help=", ".join(misbehave.ALL))
    parser.add_argument("--misbehave-after", type=float, default=60, help="seconds before each")
    parser.add_argument("--misbehave-for", type=float, default=120, help="seconds of each")
    parser.add_argument("--ground-truth", help="file that beginnings and ends are appended to")
    return parser.parse_args()


class Traffic:
    def __init__(self, told):
        self.told, self.shop = told, Shop(told.shop)
        self.outside = misbehave.Outside(told.aws, told.pay)
        self.truth = Truth(told.ground_truth)
        self.pool = ThreadPoolExecutor(OPEN_BURST_MAX, thread_name_prefix="user")
        self.lock = threading.Lock()
        self.counts = {"visits": 0, "orders": 0, "failed": 0, "skipped": 0}
        self.open, self.number, self.on, self.change = 0, 0, None, lambda order: order

    def come(self, open_max=OPEN_VISITS_MAX):
        """One user comes, who is the same in every run with this seed."""
        self.number += 1
        if self.open >= open_max:
            self.counts["skipped"] += 1
            return
        with self.lock:
            self.open += 1
        self.pool.submit(self.visit, random.Random(f"{self.told.seed} user {self.number}"), self.change)

    def visit(self, dice, change):
        ordered, well = False, False
        try:
            ordered, well = visit(self.shop, dice, change)
        finally:
            with self.lock:
                self.open -= 1
                self.counts["visits"] += 1
                self.counts["orders"] += ordered
                self.counts["failed"] += not well

    def begin(self, name):
        self.on = misbehave.ALL[name]
        self.truth.tell("start", name, self.on, self.told.seed)
        self.on.begin(self.outside, self.told.seed)
        if self.on.spoils_orders:
            self.change = misbehave.spoiling(self.told.seed)

    def end(self, name):
        self.on.end(self.outside, self.told.seed)
        self.change = lambda order: order
        self.truth.tell("end", name, self.on, self.told.seed)
        self.on = None

    def burst(self):
        deploy.again()
        for _ in range(self.on.burst_users):
            self.come(OPEN_BURST_MAX)

    def run(self, stopped):
        """Users come by the rhythm of the day until `stopped` is set."""
        told, dice, began = self.told, random.Random(f"{self.told.seed} arrivals"), time.monotonic()
        plan = misbehave.plan(told.misbehave, told.seed, told.misbehave_after, told.misbehave_for)
        owed, before, told_at, burst_at = 0.0, 0.0, 0.0, 0.0
        running = None
        while not stopped.wait(TICK_SECONDS):
            now = time.monotonic() - began
            if running and now >= running[2]:
                self.end(running[0])
                running = None
            if not running and plan and now >= plan[0][1]:
                running = plan.pop(0)
                self.begin(running[0])
                burst_at = now
            if running and self.on.burst_users and now >= burst_at:
                self.burst()
                burst_at += misbehave.BURST_SECONDS
            owed -= (now - before) * told.rate / 60 / ORDERS * rhythm.busyness(0.3 + now / 60 / told.day_minutes)
            before = now
            while owed < 0:
                self.come()
                owed += dice.expovariate(1)
            if now - told_at >= 1:
                told_at = now
                self.say(running[0] if running else None)
        if running:
            self.end(running[0])

    def say(self, misbehaving):
        print(json.dumps(self.counts | {"misbehaving": misbehaving}), flush=True)


def main():
    told = arguments()
    deploy.good()
    world.fill(told.aws)
    stopped = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stopped.set()), daemon=True).start()
    traffic = Traffic(told)
    traffic.say(None)
    traffic.run(stopped)
    traffic.pool.shutdown(wait=False, cancel_futures=True)


main()
