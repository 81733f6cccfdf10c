/** The mail server. It is pretended: it takes a moment, and can be asked to be busy or to refuse. */
import { setTimeout as sleep } from "node:timers/promises";

import { SpanKind } from "@opentelemetry/api";

import { inSpan } from "./telemetry.mjs";

const USUAL_MS = 25;
const SLOW_MS = 1_600;

/** The mail server will not take a message. */
export class MailRefused extends Error {
  name = "MailRefused";
}

export function render({ order, sku, quantity, total_cents: totalCents }) {
  return {
    to: `customer-${order % 1000}@example.com`,
    subject: `Your order ${order}`,
    text: `${quantity} x ${sku}, ${(totalCents / 100).toFixed(2)} EUR in all. Thank you!`,
  };
}

/** Hands the mail to the server and returns the message id that it gave. */
export function deliver(mail, { slow = false, refuse = false }) {
  const attributes = { "server.address": "mail.example.com", "mail.body.size": mail.text.length };
  return inSpan("send e-mail", { kind: SpanKind.CLIENT, attributes }, async () => {
    await sleep(slow ? SLOW_MS : USUAL_MS);
    return accept(mail, refuse);
  });
}

function accept(mail, refuse) {
  if (refuse) {
    throw new MailRefused(`550 ${mail.to}: mailbox unavailable`);
  }
  return `<${mail.subject.toLowerCase().replaceAll(" ", "-")}@example.com>`;
}
