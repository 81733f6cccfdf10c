'use strict';
/**
 * Loading the function's handler as the runtime does, with the errors that the runtime has.
 *
 * Lambda's runtimes up to Node 22 `require` what is not an ES module; the public client from version 4, and Lambda's
 * runtime for Node 24, `import` everything.
 */

const { existsSync, readFileSync } = require('fs');
const { createRequire } = require('module');
const path = require('path');

/** An error of the runtime's own, by the name that it reports. */
class RuntimeError extends Error {
  constructor(name, message) {
    super(message);
    this.name = `Runtime.${name}`;
  }
}

/**
 * @param {string} handlerString as in `_HANDLER`: `folder/module.export`
 * @param {string} root the folder of the function's code
 * @returns {Promise<Function>}
 */
async function load(handlerString, root) {
  if (handlerString.includes('..')) {
    const hint = 'Use absolute paths when specifying root directories in handler names.';
    throw new RuntimeError('MalformedHandlerName', `'${handlerString}' is not a valid handler name. ${hint}`);
  }
  const base = path.basename(handlerString);
  const folder = handlerString.substring(0, handlerString.indexOf(base)).replace(/\/$/, '');
  const match = /^([^.]*)\.(.*)$/.exec(base);
  if (!match) throw new RuntimeError('MalformedHandlerName', 'Bad handler');
  const [, moduleName, name] = match;
  const module = await loadModule(root, folder, moduleName);
  const inDefault = () => (module && typeof module === 'object' && 'default' in module ? find(name, module.default) : undefined);
  const handler = find(name, module) || inDefault();
  if (!handler) throw new RuntimeError('HandlerNotFound', `${handlerString} is undefined or not exported`);
  if (typeof handler !== 'function') throw new RuntimeError('HandlerNotFound', `${handlerString} is not a function`);
  return handler;
}

async function loadModule(root, folder, name) {
  const file = path.resolve(root, folder, name);
  const ways = importsAll() ? IMPORTED : isModule(file) ? [['', required], ['.js', imported], ['.mjs', imported], ['.cjs', required]] : REQUIRED;
  for (const [ending, way] of ways) {
    if (existsSync(file + ending) && (ending !== '' || isFile(file))) return way(file + ending);
  }
  // As the runtime looks for a package of this name, from where the runtime is.
  const runtime = createRequire(process.argv[1] && path.isAbsolute(process.argv[1]) ? process.argv[1] : __filename);
  return runtime(runtime.resolve(name, { paths: [root, path.join(root, folder)] }));
}

const imported = (file) => import(file);
const required = (file) => createRequire(file)(file);
const IMPORTED = ['', '.js', '.mjs', '.cjs'].map((ending) => [ending, imported]);
const REQUIRED = [['', required], ['.js', required], ['.mjs', imported], ['.cjs', required]];

function importsAll() {
  const client = process.argv[1] || '';
  return Number(process.versions.node.split('.')[0]) >= 24 || client.includes('aws-lambda-ric');
}

/** Whether the nearest package.json makes `.js` an ES module. */
function isModule(file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    try {
      return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).type === 'module';
    } catch (error) {
      if (error.code !== 'ENOENT' || folder === path.dirname(folder)) return false;
    }
  }
}

function isFile(file) {
  return require('fs').statSync(file).isFile();
}

function find(name, module) {
  return name.split('.').reduce((at, key) => (at && typeof at === 'object' ? at[key] : undefined), module);
}

module.exports = { load };
