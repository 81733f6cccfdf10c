"""Plays users until its standard input ends. Every second a line of JSON says how many there were.

A line `begin NAME` or `end NAME` on its input makes something go wrong, or lets it go well again, several at once if so
told; what is planned with --misbehave goes on beside it.

Arrivals, what users do, and what goes wrong when follow from the seed; how long answers take does not.
"""

import argparse
import json
import queue
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
# What is said faster than it is done waits in the pipe.
LINES_MAX = 100


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
        self.open, self.number = 0, 0
        # What goes wrong now, by name, and when its next burst of users is due.
        self.on, self.burst_at = {}, {}
        self.spoil = misbehave.spoiling(told.seed)

    def come(self, open_max=OPEN_VISITS_MAX):
        """One user comes, who is the same in every run with this seed."""
        self.number += 1
        if self.open >= open_max:
            self.counts["skipped"] += 1
            return
        with self.lock:
            self.open += 1
        spoils = any(misbehaviour.spoils_orders for misbehaviour in self.on.values())
        change = self.spoil if spoils else lambda order: order
        self.pool.submit(self.visit, random.Random(f"{self.told.seed} user {self.number}"), change)

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
        if name in self.on:
            return
        self.on[name], self.burst_at[name] = misbehave.ALL[name], 0.0
        self.truth.tell("start", name, self.on[name], self.told.seed)
        self.on[name].begin(self.outside, self.told.seed)

    def end(self, name):
        if misbehaviour := self.on.pop(name, None):
            misbehaviour.end(self.outside, self.told.seed)
            self.truth.tell("end", name, misbehaviour, self.told.seed)

    def burst(self, now):
        for name, misbehaviour in self.on.items():
            if misbehaviour.burst_users and now >= self.burst_at[name]:
                self.burst_at[name] = now + misbehave.BURST_SECONDS
                deploy.again()
                for _ in range(misbehaviour.burst_users):
                    self.come(OPEN_BURST_MAX)

    def run(self, lines):
        """Users come by the rhythm of the day until `lines`, a queue of what to do, says that there are no more."""
        told, dice, began = self.told, random.Random(f"{self.told.seed} arrivals"), time.monotonic()
        plan = misbehave.plan(told.misbehave, told.seed, told.misbehave_after, told.misbehave_for)
        owed, before, told_at = 0.0, 0.0, 0.0
        running = None
        while (line := next_of(lines)) is not None:
            now = time.monotonic() - began
            what, _, name = line.partition(" ")
            if what in ("begin", "end") and name in misbehave.ALL:
                {"begin": self.begin, "end": self.end}[what](name)
            if running and now >= running[2]:
                self.end(running[0])
                running = None
            if not running and plan and now >= plan[0][1]:
                running = plan.pop(0)
                self.begin(running[0])
            self.burst(now)
            owed -= (now - before) * told.rate / 60 / ORDERS * rhythm.busyness(0.3 + now / 60 / told.day_minutes)
            before = now
            while owed < 0:
                self.come()
                owed += dice.expovariate(1)
            if now - told_at >= 1:
                told_at = now
                self.say()
        for name in list(self.on):
            self.end(name)

    def say(self):
        print(json.dumps(self.counts | {"misbehaving": ", ".join(self.on) or None}), flush=True)


def next_of(lines):
    """What was said within a tick; an empty line if that is nothing, None once there is nobody to say something."""
    try:
        return lines.get(timeout=TICK_SECONDS)
    except queue.Empty:
        return ""


def listen(lines):
    for line in sys.stdin:
        lines.put(line.strip())
    lines.put(None)


def main():
    told = arguments()
    deploy.good()
    world.fill(told.aws)
    lines = queue.Queue(LINES_MAX)
    threading.Thread(target=listen, args=[lines], daemon=True).start()
    traffic = Traffic(told)
    traffic.say()
    traffic.run(lines)
    traffic.pool.shutdown(wait=False, cancel_futures=True)


main()
