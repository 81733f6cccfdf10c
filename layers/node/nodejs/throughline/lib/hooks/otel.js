'use strict';
/** Registers the layer where OpenTelemetry's API looks for its implementation; what is behind is loaded when it is used. */

const REGISTRY = Symbol.for('opentelemetry.js.api.1');
/** Not older than any version of the API, so that all of them take it. */
const VERSION = '1.99.0';

/** @param {import('../layer.js').Layer} layer */
function install(layer) {
  if (globalThis[REGISTRY]) return;
  let made;
  const part = (name) => () => (made || (made = require('../otel.js').api(layer)))[name];
  const registry = { version: VERSION };
  for (const name of ['context', 'propagation', 'trace']) {
    Object.defineProperty(registry, name, { get: part(name), enumerable: true, configurable: true });
  }
  globalThis[REGISTRY] = registry;
}

module.exports = { install };
