"""The shelf. There is always enough on it, unless a request asks to find it empty."""

import logging
import time

from opentelemetry import trace

import telemetry

USUAL_SECONDS = 0.015
SLOW_SECONDS = 1.2
ON_THE_SHELF = 12

log = logging.getLogger()


class OutOfStock(Exception):
    """Fewer items are left than an order wants."""


def count(sku, *, slow, empty):
    """How many of `sku` are left."""
    with telemetry.tracer.start_as_current_span("count stock", attributes={"shop.sku": sku}):
        if slow:
            log.warning("stock table is locked, waiting")
        time.sleep(SLOW_SECONDS if slow else USUAL_SECONDS)
        left = 0 if empty else ON_THE_SHELF
        trace.get_current_span().set_attribute("shop.stock.left", left)
        return left


def take(order, sku, quantity):
    """Takes the items and returns the number of the reservation."""
    with telemetry.tracer.start_as_current_span("take items", attributes={"shop.quantity": quantity}):
        return f"{sku}-{order:06}"
