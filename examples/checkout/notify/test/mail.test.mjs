import assert from "node:assert/strict";
import { test } from "node:test";

import { deliver, MailRefused, render } from "../mail.mjs";

const mail = render({ order: 7, sku: "kettle-1l", quantity: 2, total_cents: 9800 });

test("mail says what was bought", () => {
  assert.equal(mail.text, "2 x kettle-1l, 98.00 EUR in all. Thank you!");
});

test("accepted mail has a message id", async () => {
  assert.equal(await deliver(mail, {}), "<your-order-7@example.com>");
});

test("refused mail says whom it was for", async () => {
  await assert.rejects(deliver(mail, { refuse: true }), (error) => {
    assert.ok(error instanceof MailRefused);
    assert.equal(error.message, "550 customer-7@example.com: mailbox unavailable");
    return true;
  });
});
