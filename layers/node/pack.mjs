/**
 * Packs the layer: `node pack.mjs FOLDER` makes `FOLDER/node.zip`, and the same unpacked as `FOLDER/node`. The same
 * files give the same bytes.
 *
 * The modules of `lib` become two files, since looking for twenty takes longer than reading one: what every start needs,
 * and the rest. Each stays a function of its own, called when it is required for the first time.
 */
import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { zip } from './zip.mjs';

const LAYER = path.dirname(fileURLToPath(import.meta.url));
const ROOT = 'nodejs/throughline';

function filesBelow(at) {
  if (!statSync(path.join(LAYER, at)).isDirectory()) return [at];
  return readdirSync(path.join(LAYER, at)).sort().flatMap((name) => filesBelow(path.posix.join(at, name)));
}

/** What is needed only by functions that do more than begin and end. */
const isLate = (name) => /\/(aws|bodies|call|carrying|otel|exceptions|logs|sourcemap|digest|client)\.js$|\/libraries\/|\/aws\//.test(name);

const NAMES = ['package.json', ...filesBelow(`${ROOT}/lib`).map((name) => path.posix.relative(ROOT, name))];

function modulesOf(names) {
  const modules = names.map((name) => {
    const text = readFileSync(path.join(LAYER, ROOT, name), 'utf8');
    const body = name.endsWith('.json') ? `module.exports = ${JSON.stringify(JSON.parse(text))};` : slim(text);
    return `${JSON.stringify(name)}(module, exports, require, __filename, __dirname) {\n${body}}`;
  });
  return `{\n${modules.join(',\n')}\n}`;
}

const LATE = `'use strict';
module.exports = ${modulesOf(NAMES.filter(isLate))};
`;

/** Stands where the first module of `lib` does. */
const START = `'use strict';
const path = require('path');
const root = path.dirname(__dirname);
const native = require;
const loaded = new Map();
const modules = ${modulesOf(NAMES.filter((name) => !isLate(name)))};
function load(name) {
  let module = loaded.get(name);
  if (!module) {
    module = { exports: {} };
    loaded.set(name, module);
    const folder = path.posix.dirname(name);
    const inner = (other) => (other[0] === '.' ? load(path.posix.join(folder, other)) : native(other));
    const run = modules[name] || native('./late.js')[name];
    run(module, module.exports, inner, path.join(root, name), path.join(root, folder));
  }
  return module.exports;
}
module.exports = load('lib/start.js');
`;

/** Without comments that stand alone, and without the indentation. */
function slim(text) {
  const lines = text.replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '').split('\n');
  return lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('//') && line !== "'use strict';").map((line) => `${line}\n`).join('');
}

const read = (name) => readFileSync(path.join(LAYER, name), 'utf8');
const FILES = [
  ['throughline', read('throughline'), 0o100755],
  [`${ROOT}/entry.mjs`, read(`${ROOT}/entry.mjs`), 0o100644],
  [`${ROOT}/lib/start.js`, START, 0o100644],
  [`${ROOT}/lib/late.js`, LATE, 0o100644],
  [`${ROOT}/package.json`, read(`${ROOT}/package.json`), 0o100644],
];

const folder = process.argv[2] ?? 'target/layers';
rmSync(path.join(folder, 'node'), { recursive: true, force: true });
for (const [name, text, mode] of FILES) {
  const file = path.join(folder, 'node', name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode & 0o777);
}
const bytes = zip(FILES);
writeFileSync(path.join(folder, 'node.zip'), bytes);
console.log(`${path.join(folder, 'node.zip')}: ${(bytes.length / 1024).toFixed(1)} KiB`);
