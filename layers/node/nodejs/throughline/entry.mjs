/**
 * What the runtime loads in place of the function's handler: sets the layer up, loads the handler as the runtime
 * would have, and exports it wrapped. An error of the function's module leaves here as it was thrown.
 */
import { createRequire } from 'node:module';

const { start } = createRequire(import.meta.url)('./lib/start.js');

export const handler = await start();
