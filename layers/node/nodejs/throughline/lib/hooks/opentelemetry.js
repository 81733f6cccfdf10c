'use strict';
/**
 * Offers the layer where copies of OpenTelemetry's API look for their implementation; what is behind is loaded when it is
 * used. An SDK of the function takes the place when it registers itself, as if nobody had been there.
 */

const REGISTRY = Symbol.for('opentelemetry.js.api.1');
/** Not older than any version of the API, so that all of them take it. */
const VERSION = '1.99.0';
const PARTS = ['context', 'propagation', 'trace'];

/** @param {import('../layer.js').Layer} layer */
function install(layer) {
  if (globalThis[REGISTRY]) return;
  let made;
  const part = (name) => (made || (made = require('../otel.js').api(layer)))[name];
  const registry = { version: VERSION };
  offer(registry, part);
  Object.defineProperty(globalThis, REGISTRY, {
    configurable: true,
    enumerable: true,
    get: () => (isRegistering() ? undefined : registry),
    set(theirs) {
      Object.defineProperty(globalThis, REGISTRY, { value: theirs, configurable: true, enumerable: true, writable: true });
      // Whoever comes may only have come to log.
      if (theirs) offer(theirs, part);
    },
  });
}

function offer(registry, part) {
  for (const name of PARTS) {
    if (registry[name]) continue;
    Object.defineProperty(registry, name, {
      configurable: true,
      enumerable: true,
      get: () => (isRegistering() ? undefined : part(name)),
      set: (value) => void Object.defineProperty(registry, name, { value, configurable: true, enumerable: true, writable: true }),
    });
  }
}

/** A registration looks first whether there is one, and so does who only asks: they differ in who they are. */
function isRegistering() {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 4;
  const { stack } = new Error();
  Error.stackTraceLimit = limit;
  return /\bregisterGlobal\b/.test(String(stack));
}

module.exports = { install };
