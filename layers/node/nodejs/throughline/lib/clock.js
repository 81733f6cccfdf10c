'use strict';
/** Time as milliseconds since 1970 with a fraction, even and never backwards inside an invocation. */

/** The wall clock may be this far from ours before ours is set anew: it is, after a freeze. */
const DRIFT_MS = 1.5;

let origin = performance.timeOrigin;

/** Sets the clock by the wall's; called when an invocation begins. */
function set() {
  const wall = Date.now();
  const ours = origin + performance.now();
  if (Math.abs(wall - ours) > DRIFT_MS) origin += wall - ours;
}

const now = () => origin + performance.now();

/** As OTLP/JSON has it: nanoseconds since 1970 in decimal. */
function nanos(millis) {
  const whole = Math.floor(millis);
  const rest = Math.min(999_999, Math.round((millis - whole) * 1e6));
  return `${whole}${String(rest).padStart(6, '0')}`;
}

module.exports = { nanos, now, set };
