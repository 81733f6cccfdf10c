"""inventory: reserves the items of one order.

Invoked by checkout with {"order": 7, "sku": "kettle-1l", "quantity": 2, "slow": false, "fail": false}.
`slow` makes the stock count take its time, `fail` finds the shelf empty.
"""

import logging

from opentelemetry.trace import SpanKind

import stock
import telemetry
from trace_header import caller_from_environment

log = logging.getLogger()
log.setLevel(logging.INFO)


def handler(event, context):
    try:
        with telemetry.tracer.start_as_current_span(
            "reserve items",
            context=caller_from_environment(),
            kind=SpanKind.SERVER,
            attributes={
                "faas.invocation_id": context.aws_request_id,
                "shop.order": event["order"],
                "shop.sku": event["sku"],
                "shop.quantity": event["quantity"],
            },
        ):
            return reserve(event)
    finally:
        telemetry.flush()


def reserve(event):
    order, sku, quantity = event["order"], event["sku"], event["quantity"]
    log.info("reserving %d x %s for order %d", quantity, sku, order)
    available = stock.count(sku, slow=event.get("slow", False), empty=event.get("fail", False))
    if available < quantity:
        raise stock.OutOfStock(f"{sku}: {quantity} wanted, {available} left")
    reservation = stock.take(order, sku, quantity)
    log.info("reserved %d x %s as %s", quantity, sku, reservation)
    return {"reservation": reservation, "left": available - quantity}
