/**
 * notify: confirms one order by e-mail.
 *
 * Invoked by checkout, which does not wait, with
 * {"order": 7, "sku": "kettle-1l", "quantity": 2, "total_cents": 9800, "slow": false, "fail": false}.
 * `slow` keeps the mail server busy, `fail` makes it refuse the recipient.
 */
import { SpanKind } from "@opentelemetry/api";

import { deliver, render } from "./mail.mjs";
import { flush, inSpan } from "./telemetry.mjs";
import { callerFromEnvironment } from "./trace-header.mjs";

export async function handler(order, context) {
  const attributes = { "faas.invocation_id": context.awsRequestId, "shop.order": order.order };
  try {
    return await inSpan("confirm order", { kind: SpanKind.SERVER, attributes }, () => confirm(order), callerFromEnvironment());
  } finally {
    await flush();
  }
}

async function confirm(order) {
  const mail = render(order);
  console.info(`sending "${mail.subject}" to ${mail.to}`);
  const id = await deliver(mail, { slow: order.slow, refuse: order.fail });
  console.info(`order ${order.order} confirmed with ${id}`);
  return { message: id };
}
