'use strict';
/** The hooks that are on, each guarded. */

const faults = require('./faults.js');

/** Name of the switch, and the module that has `install(layer)`. */
const HOOKS = [];

/** @param {import('./layer.js').Layer} layer */
function install(layer) {
  for (const [name, file] of HOOKS) {
    if (layer.settings.hook(name)) faults.guard(name, () => require(file).install(layer));
  }
}

module.exports = { install };
