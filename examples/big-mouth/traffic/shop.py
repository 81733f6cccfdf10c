"""What a user does with the shop. Which user does what follows from the dice alone."""

import http.client
import json
import urllib.parse

from traffic import world

TIMEOUT_SECONDS = 30
SEARCHES, ORDERS = 0.4, 0.6
RESTAURANTS = list(world.restaurants())


class Shop:
    """The shop's API, for one user at a time."""

    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url).netloc

    def ask(self, method, path, body=None, headers=None):
        """The status of the answer, and the answer; 0 if there was none."""
        connection = http.client.HTTPConnection(self.address, timeout=TIMEOUT_SECONDS)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"content-type": "application/json"} | (headers or {}))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()


def wanted(dice):
    """An order, as the shop's page sends it."""
    restaurant = dice.choice(RESTAURANTS)
    dishes = dice.sample(list(restaurant["menu"]), dice.randint(1, 2))
    order = {
        "user": f"u-{dice.randint(1, world.USERS)}",
        "restaurant": restaurant["id"],
        "items": [{"dish": dish, "quantity": dice.randint(1, 3)} for dish in dishes],
    }
    voucher = dice.choice([None, None, None, "HELLO", "HALF"])
    return order | ({"voucher": voucher} if voucher else {})


def as_an_old_app(order):
    """The order as the page of last year sent it: quantities are texts."""
    return order | {"items": [item | {"quantity": str(item["quantity"])} for item in order["items"]]}


def visit(shop, dice, change=lambda order: order):
    """One user: looks around, often searches, mostly orders. Returns whether there was an order and all went well."""
    order = wanted(dice)
    searches, orders = dice.random() < SEARCHES, dice.random() < ORDERS
    statuses = [shop.ask("GET", "/restaurants")[0]]
    if searches:
        statuses.append(shop.ask("GET", f"/search?cuisine={dice.choice(list(world.CUISINES))}")[0])
    statuses.append(shop.ask("GET", f"/restaurants/{order['restaurant']}")[0])
    if orders:
        statuses.append(shop.ask("POST", "/orders", change(order))[0])
    return orders, all(200 <= status < 500 for status in statuses)
