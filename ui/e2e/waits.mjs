// What the server would tell of how long messages waited.
import { COST } from './answers.mjs';

/** How long messages waited. */
export function waits() {
  const wait = (/** @type {string} */ id, /** @type {number} */ longest_ms) => {
    return { id, count: 40, p50_ms: longest_ms / 5, longest_ms };
  };
  return {
    waits: [wait('queue:user-notify', 6400), wait('function:notify', 6500)],
    span_count: 40,
    truncated: false,
    cost: COST,
  };
}
