import unittest

from order import Refused, priced

USER = {"id": "u-1", "email": "ann@example.com", "card": "tok_ann"}
RESTAURANT = {"id": "r-1", "name": "Fangtasia", "menu": {"true blood": 650, "water": 100}}


def wanted(**changes):
    return {"user": "u-1", "restaurant": "r-1", "items": [{"dish": "true blood", "quantity": 2}]} | changes


class Priced(unittest.TestCase):
    def test_sum_of_the_dishes_less_the_voucher(self):
        for voucher, cents in [(None, 1300), ("HALF", 650), ("HELLO", 1170), ("UNKNOWN", 1300)]:
            self.assertEqual(priced(wanted(voucher=voucher), USER, RESTAURANT)["total_cents"], cents, voucher)

    def test_what_is_not_there_refuses_the_order(self):
        cases = [
            (403, wanted(), None, RESTAURANT),
            (404, wanted(), USER, None),
            (422, wanted(items=[{"dish": "soup", "quantity": 1}]), USER, RESTAURANT),
        ]
        for status, order, user, restaurant in cases:
            with self.assertRaises(Refused) as refused:
                priced(order, user, restaurant)
            self.assertEqual(refused.exception.status, status)

    def test_the_card_stays_with_the_payment(self):
        self.assertNotIn("card", priced(wanted(), USER, RESTAURANT))
