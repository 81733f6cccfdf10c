"""The payment provider.

POST /payments   {"order": "o-7", "card": "tok_ann", "cents": 1300}   201, or 402 for a card that is declined
PUT /behaviour   {"seconds": 3.0}                                     how long it takes; 0.02 s unless told
"""

import itertools
import time

from outside import listen

USUAL_SECONDS = 0.02
DECLINED = "tok_declined"


class Pay(listen.Handler):
    seconds = USUAL_SECONDS
    numbers = itertools.count(1)

    def do_POST(self):
        wanted = self.body()
        time.sleep(self.seconds)
        if wanted["card"] == DECLINED:
            self.answer(402, {"error": "declined"})
        else:
            self.answer(201, {"payment": f"p-{next(self.numbers)}"})

    def do_PUT(self):
        Pay.seconds = float(self.body()["seconds"])
        self.answer(200, {"seconds": Pay.seconds})


def serve(port):
    """Listens on `port`; returns the URL."""
    return listen.http(port, Pay)
