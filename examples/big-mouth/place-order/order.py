"""What an order comes to."""

VOUCHERS = {"HALF": 50, "HELLO": 10}


class Refused(Exception):
    """The order cannot be taken, and whose fault that is."""

    def __init__(self, status, why):
        super().__init__(why)
        self.status = status


def priced(wanted, user, restaurant):
    """The order with its price and with what later steps need to know; `Refused` if something of it is not there."""
    if user is None:
        raise Refused(403, f"no user {wanted['user']}")
    if restaurant is None:
        raise Refused(404, f"no restaurant {wanted['restaurant']}")
    menu = restaurant["menu"]
    missing = [item["dish"] for item in wanted["items"] if item["dish"] not in menu]
    if missing:
        raise Refused(422, f"{restaurant['name']} has no {missing[0]}")
    total = sum(int(menu[item["dish"]]) * int(item["quantity"]) for item in wanted["items"])
    off = VOUCHERS.get(wanted.get("voucher"), 0)
    return {
        "user": user["id"],
        "email": user["email"],
        "restaurant": restaurant["id"],
        "restaurant_name": restaurant["name"],
        "items": wanted["items"],
        "total_cents": total * (100 - off) // 100,
    }
