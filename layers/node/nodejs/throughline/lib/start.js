'use strict';
/** Wiring: settings, recorder, hooks, then the function's own handler. */

const faults = require('./faults.js');
const { load } = require('./load.js');
const { readSettings } = require('./settings.js');

/**
 * Loads the handler that `THROUGHLINE_HANDLER` names, watched if that can be done.
 * @returns {Promise<Function>}
 */
async function start() {
  const name = process.env.THROUGHLINE_HANDLER;
  process.env._HANDLER = name;
  delete process.env.THROUGHLINE_HANDLER;
  const layer = faults.guard('start', () => {
    const { Layer } = require('./layer.js');
    const layer = new Layer(readSettings(process.env));
    layer.install();
    return layer;
  });
  const handler = await loaded(name);
  return layer ? faults.guard('wrap', () => layer.wrap(handler)) || handler : handler;
}

async function loaded(name) {
  try {
    return await load(name, process.env.LAMBDA_TASK_ROOT);
  } catch (error) {
    require('./exceptions.js').clean(error);
    throw error;
  }
}

module.exports = { start };
