'use strict';
/** Time as milliseconds since 1970 with a fraction, even and never backwards inside an invocation. */

/** The wall clock may be this far from ours before ours is set anew: it is, after a freeze. */
const DRIFT_MS = 1.5;

/** Node's own clock with a fraction is loaded when it is first used, which takes longer than all of this. */
const ticks = () => {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e3 + nanos / 1e6;
};

let origin = Date.now() - ticks();

/**
 * Sets the clock by the wall's; called when an invocation begins. The wall says whole milliseconds, so that it is late by
 * less than one: of what it said, the latest is the best.
 */
function set() {
  const found = Date.now() - ticks();
  if (found > origin || found < origin - DRIFT_MS) origin = found;
}

const now = () => origin + ticks();

/** As OTLP/JSON has it: nanoseconds since 1970 in decimal. */
function nanos(millis) {
  const whole = Math.floor(millis);
  const rest = Math.min(999_999, Math.round((millis - whole) * 1e6));
  return `${whole}${String(rest).padStart(6, '0')}`;
}

module.exports = { nanos, now, set };
