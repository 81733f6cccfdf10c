'use strict';
/** What goes wrong in the layer ends here: counted, said once, never seen by the function. */

/** A part that failed so often is switched off. */
const FAULTS_MAX = 5;

/** @type {Map<string, number>} */
const counts = new Map();

/**
 * Does `work`; what it throws is counted under `part`.
 * @template T
 * @param {string} part
 * @param {() => T} work
 * @returns {T | undefined}
 */
function guard(part, work) {
  try {
    return work();
  } catch (error) {
    note(part, error);
    return undefined;
  }
}

/** Counts a fault of `part`, and says the first one. */
function note(part, error) {
  const count = (counts.get(part) || 0) + 1;
  counts.set(part, count);
  if (count > 1) return;
  try {
    process.stderr.write(`throughline: ${part} failed, the function is not affected: ${error && error.message}\n`);
  } catch {
    // Nobody to tell.
  }
}

/** Whether `part` failed too often to be tried again. */
function isOff(part) {
  return (counts.get(part) || 0) >= FAULTS_MAX;
}

/** How many faults there were, all parts together. */
function total() {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

module.exports = { FAULTS_MAX, guard, isOff, note, total };
