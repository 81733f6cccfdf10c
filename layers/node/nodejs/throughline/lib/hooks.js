'use strict';
/** The hooks that are on, each guarded. */

const faults = require('./faults.js');

/** The word that switches it off in `THROUGHLINE_HOOKS_OFF`, and the module that has `install(layer)`. */
const HOOKS = [
  ['http', './hooks/http.js'],
  ['fetch', './hooks/fetch.js'],
  ['libraries', './hooks/modules.js'],
  ['opentelemetry', './hooks/opentelemetry.js'],
];

/** @param {import('./layer.js').Layer} layer */
function install(layer) {
  for (const [name, file] of HOOKS) {
    if (layer.settings.hook(name)) faults.guard(name, () => require(file).install(layer));
  }
}

module.exports = { install };
