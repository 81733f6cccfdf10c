"""What can be made to go wrong, by name. Each has a beginning and an end, which the ground truth has."""

import dataclasses
import json
import random
import urllib.request
from collections.abc import Callable

from traffic import deploy, shop, subscription

SLOW_SECONDS, USUAL_SECONDS = 3.0, 0.02
THROTTLED_SHARE = 0.9
FAILING_SHARE = 0.6
POISONED_SHARE = 0.25
BURST_SECONDS, BURST_USERS = 15.0, 24


@dataclasses.dataclass
class Outside:
    """Where that is which can be told to misbehave."""

    aws: str
    pay: str

    def put(self, url, body):
        request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"}, method="PUT")
        urllib.request.urlopen(request, timeout=10).close()

    def pay_takes(self, seconds):
        self.put(f"{self.pay}/behaviour", {"seconds": seconds})

    def throttle(self, share, seed):
        self.put(f"{self.aws}/outside/throttle", {"table": "users", "share": share, "seed": seed})

    def fail(self, share, seed):
        self.put(f"{self.aws}/outside/fail", {"table": "orders", "share": share, "seed": seed})

    def unsubscribe(self):
        subscription.end(self.aws)

    def subscribe(self):
        subscription.begin(self.aws)


@dataclasses.dataclass(frozen=True)
class Misbehaviour:
    """What it is, what it is in, and what begins and ends it. Both get the `Outside` and the seed."""

    what: str
    where: dict
    begin: Callable = lambda outside, seed: None
    end: Callable = lambda outside, seed: None
    # Changes some orders on their way to the shop.
    spoils_orders: bool = False
    # Users who come all at once, every BURST_SECONDS, to functions that were just deployed.
    burst_users: int = 0


def release(name, what, function, **where):
    return Misbehaviour(
        what,
        {"function": function, **where},
        lambda outside, seed: deploy.bad(name),
        lambda outside, seed: deploy.back(name),
    )


ALL = {
    "slow-payment": Misbehaviour(
        f"the payment provider takes {SLOW_SECONDS:g} s",
        {"host": "pay", "function": "place-order"},
        lambda outside, seed: outside.pay_takes(SLOW_SECONDS),
        lambda outside, seed: outside.pay_takes(USUAL_SECONDS),
    ),
    "throttled-user-table": Misbehaviour(
        f"{THROTTLED_SHARE:.0%} of the calls to the table of users are throttled",
        {"table": "users", "function": "place-order"},
        lambda outside, seed: outside.throttle(THROTTLED_SHARE, seed),
        lambda outside, seed: outside.throttle(0, seed),
    ),
    "poison-message": Misbehaviour(
        f"{POISONED_SHARE:.0%} of the orders have quantities that are texts, which notify-restaurant cannot read",
        {"queue": "notifications", "function": "notify-restaurant"},
        spoils_orders=True,
    ),
    "bad-deploy": release("bad-deploy", "a release of place-order fails for orders without a voucher", "place-order"),
    "cold-start-storm": Misbehaviour(
        f"all functions are deployed and {BURST_USERS} users come at once, every {BURST_SECONDS:g} s",
        {"functions": ["get-restaurants", "search-restaurants", "place-order"]},
        burst_users=BURST_USERS,
    ),
    "memory-leak": release("memory-leak", "a release of place-order keeps every order in memory", "place-order"),
    "unexpected-write": release(
        "unexpected-write", "a release of update-stats writes to the table of users", "update-stats", table="users"
    ),
    "cost-leak": release("cost-leak", "a release of update-stats polls the table of stats for 12 s", "update-stats", table="stats"),
    "timeout": release("timeout", "a release of place-order waits for ever for one order in four", "place-order"),
    "retry-storm": Misbehaviour(
        f"{FAILING_SHARE:.0%} of the calls to the table of orders fail, and are tried again up to three times",
        {"table": "orders", "functions": ["place-order", "accept-order"]},
        lambda outside, seed: outside.fail(FAILING_SHARE, seed),
        lambda outside, seed: outside.fail(0, seed),
    ),
    "silent-consumer": Misbehaviour(
        "the queue notifications is no longer subscribed to the topic orders-placed",
        {"topic": "orders-placed", "queue": "notifications", "function": "notify-restaurant"},
        lambda outside, seed: outside.unsubscribe(),
        lambda outside, seed: outside.subscribe(),
    ),
}


def spoiling(seed):
    """A function that makes some orders unreadable for whoever notifies restaurants."""
    dice = random.Random(f"poison {seed}")
    return lambda order: shop.as_an_old_app(order) if dice.random() < POISONED_SHARE else order


def plan(names, seed, after, lasts):
    """When each begins and ends, in seconds from now: one after the other, with a pause, neither to the second."""
    dice = random.Random(f"plan {seed}")
    at, planned = 0.0, []
    for name in names:
        at += after * dice.uniform(0.8, 1.2)
        end = at + lasts * dice.uniform(0.9, 1.1)
        planned.append((name, at, end))
        at = end
    return planned
