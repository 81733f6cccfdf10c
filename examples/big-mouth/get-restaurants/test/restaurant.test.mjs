import assert from "node:assert/strict";
import { test } from "node:test";

import { brief, whole } from "../restaurant.mjs";

const item = { id: { S: "r-1" }, name: { S: "Fangtasia" }, cuisine: { S: "bar" }, menu: { M: { "true blood": { N: "650" } } } };

test("the list has no menus", () => {
  assert.deepEqual(brief(item), { id: "r-1", name: "Fangtasia", cuisine: "bar" });
});

test("one restaurant has its menu with prices", () => {
  assert.deepEqual(whole(item).menu, [{ dish: "true blood", cents: 650 }]);
});
