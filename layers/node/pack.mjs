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
import { deflateRawSync } from 'node:zlib';

const LAYER = path.dirname(fileURLToPath(import.meta.url));
const ROOT = 'nodejs/throughline';
/** 1 January 1980 is as old as a zip can say. */
const DOS_DATE = (1 << 5) | 1;

function filesBelow(at) {
  if (!statSync(path.join(LAYER, at)).isDirectory()) return [at];
  return readdirSync(path.join(LAYER, at)).sort().flatMap((name) => filesBelow(path.posix.join(at, name)));
}

const CRC = Array.from({ length: 256 }, (_, n) => {
  let rest = n;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest >>> 0;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** What is needed only by functions that do more than begin and end. */
const isLate = (name) => /\/(aws|bodies|call|carrying|otel|exceptions|sourcemap|dynamo|client)\.js$|\/libraries\/|\/aws\//.test(name);

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

function entry([name, text, mode], at) {
  const bytes = Buffer.from(text);
  const packed = deflateRawSync(bytes, { level: 9 });
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(0x0800, 2);
  common.writeUInt16LE(8, 4);
  common.writeUInt16LE(DOS_DATE, 8);
  common.writeUInt32LE(crc32(bytes), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(bytes.length, 18);
  common.writeUInt16LE(Buffer.byteLength(name), 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), packed]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE((mode << 16) >>> 0, 6);
  rest.writeUInt32LE(at, 10);
  const madeOnUnix = Buffer.from([20, 3]);
  return { local, central: Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), madeOnUnix, common, rest, Buffer.from(name)]) };
}

function zip(files) {
  const locals = [];
  const centrals = [];
  let at = 0;
  for (const file of files) {
    const { local, central } = entry(file, at);
    locals.push(local);
    centrals.push(central);
    at += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
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
