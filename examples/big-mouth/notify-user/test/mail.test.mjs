import assert from "node:assert/strict";
import { test } from "node:test";

import { render } from "../mail.mjs";

test("the e-mail says what was ordered, where, and what it cost", () => {
  const mail = render({
    id: "o-7",
    email: "ann@example.com",
    restaurant_name: "Fangtasia",
    items: [{ dish: "true blood", quantity: 2 }],
    total_cents: 1305,
  });
  assert.equal(mail.subject, "Your order o-7");
  assert.equal(mail.to, "ann@example.com");
  assert.equal(mail.text, "Fangtasia is cooking for you:\n\n2 x true blood\n\n13.05 EUR, paid.");
});
