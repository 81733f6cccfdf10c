// Some minutes of a shop's telemetry, as it comes while the machine keeps up.
import assert from 'node:assert/strict';

const MINUTE = 60_000;
const TICK_MILLIS = 500;
/** Minutes with such a gap are not as usual. */
const LATE_MILLIS = 10_000;
const TAKES_MAX = 10;

const begun = Date.now();
/** @param {string} what */
export const note = (what) => console.log(`${((Date.now() - begun) / 1000).toFixed(0)} s: ${what}`);
/** @param {number} millis */
export const pause = (millis) => new Promise((later) => setTimeout(later, millis));

/**
 * Records for some minutes; anew, if the machine stood still meanwhile.
 * @param {Pick<import('./shop.mjs').Shop, 'record' | 'recorded'>} shop
 * @param {number} minutes
 * @param {() => Promise<void>} [again] makes all as it was, before it is tried anew
 * @returns {Promise<import('./history.mjs').Take>}
 */
export async function take(shop, minutes, again = async () => {}) {
  for (let nth = 0; nth < TAKES_MAX; nth += 1) {
    if (nth > 0) await again();
    shop.record();
    const from = Date.now();
    let [last, late] = [from, 0];
    while (Date.now() < from + minutes * MINUTE && late < LATE_MILLIS) {
      await pause(TICK_MILLIS);
      late = Math.max(late, Date.now() - last - TICK_MILLIS);
      last = Date.now();
    }
    const sent = shop.recorded();
    if (late < LATE_MILLIS) return { sent, from, to: Date.now() };
    note(`the machine stood still for ${(late / 1000).toFixed(0)} s`);
  }
  return assert.fail('the machine stands still again and again');
}
