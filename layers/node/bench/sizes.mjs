/**
 * How large what others offer is as a layer: packages as npm installs them, with all that they depend on, in a zip made as
 * ours is. `node sizes.mjs` prints it.
 */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { zip } from '../zip.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const RIVALS = { opentelemetry: ['@opentelemetry/auto-instrumentations-node', '@opentelemetry/api'], 'aws-xray-sdk-core': ['aws-xray-sdk-core'] };

/** @returns {Record<string, number>} KiB, by what it is */
export function sizes() {
  return Object.fromEntries(Object.entries(RIVALS).map(([rival, names]) => [rival, zipKib(names)]));
}

function zipKib(names) {
  const folders = new Set();
  for (const name of names) add(name, '', folders);
  const files = [...folders].sort().flatMap(filesIn);
  return zip(files.map((file) => [`nodejs/${file}`, readFileSync(path.join(HERE, file)), 0o100644])).length / 1024;
}

/** A package and what it needs, found as Node finds it: in the nearest folder that has it. */
function add(name, from, folders) {
  for (let base = from; ; base = base.slice(0, Math.max(base.lastIndexOf('node_modules/') - 1, 0))) {
    const folder = path.posix.join(base, 'node_modules', name);
    if (existsSync(path.join(HERE, folder, 'package.json'))) {
      if (folders.has(folder)) return;
      folders.add(folder);
      const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(path.join(HERE, folder, 'package.json'), 'utf8'));
      for (const needed of Object.keys({ ...dependencies, ...peerDependencies })) add(needed, folder, folders);
      return;
    }
    // What is optional, or for another machine, is not there.
    if (base === '') return;
  }
}

/** All but the packages inside of it, which are listed by themselves if they are needed. */
function filesIn(folder) {
  return readdirSync(path.join(HERE, folder)).filter((name) => name !== 'node_modules').sort().flatMap((name) => {
    const file = path.posix.join(folder, name);
    return statSync(path.join(HERE, file)).isDirectory() ? filesIn(file) : [file];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [rival, kib] of Object.entries(sizes())) console.log(`${rival}: ${kib.toFixed(0)} KiB`);
}
