'use strict';
/** Where a line of built code was written, by the source map beside it. Read only once something was thrown. */

const fs = require('fs');
const path = require('path');

/** A map beyond this would be read for longer than a line number is worth. */
const MAP_BYTES_MAX = 4 << 20;
const MAPS_MAX = 8;
const TAIL_BYTES = 4096;

/** @type {Map<string, {map: import('module').SourceMap, folder: string} | undefined>} */
const known = new Map();

/** @returns {{name: string, file: string, line: number} | undefined} */
function original({ file, line, column, name }) {
  if (!known.has(file) && known.size < MAPS_MAX) known.set(file, open(file));
  const found = known.get(file);
  if (!found) return undefined;
  const entry = found.map.findEntry(line - 1, column - 1);
  if (!entry || !entry.originalSource) return undefined;
  const source = entry.originalSource.replace(/^file:\/\//, '').replace(/^webpack:\/\/[^/]*\//, '');
  return { name: entry.name || name, file: path.resolve(found.folder, source), line: entry.originalLine + 1 };
}

function open(file) {
  if (!path.isAbsolute(file)) return undefined;
  const url = named(file);
  if (!url) return undefined;
  const inline = /^data:application\/json[^,]*;base64,(.*)$/.exec(url);
  const mapFile = inline ? file : path.resolve(path.dirname(file), url);
  if (!inline && fs.statSync(mapFile).size > MAP_BYTES_MAX) return undefined;
  const text = inline ? Buffer.from(inline[1], 'base64').toString() : fs.readFileSync(mapFile, 'utf8');
  const payload = JSON.parse(text);
  const { SourceMap } = require('module');
  return { map: new SourceMap(payload), folder: path.resolve(path.dirname(mapFile), payload.sourceRoot || '') };
}

/** What the last comment of a file names as its map. */
function named(file) {
  const size = fs.statSync(file).size;
  if (size > MAP_BYTES_MAX * 4) return undefined;
  const tail = (bytes) => {
    const fd = fs.openSync(file, 'r');
    try {
      const buffer = Buffer.alloc(Math.min(bytes, size));
      fs.readSync(fd, buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString();
    } finally {
      fs.closeSync(fd);
    }
  };
  const look = (text) => {
    const all = [...text.matchAll(/^\/\/[#@] sourceMappingURL=(\S+)\s*$/gm)];
    return all.length ? all[all.length - 1][1] : undefined;
  };
  // A map inside of the file makes its last line long.
  return look(tail(TAIL_BYTES)) || (size <= MAP_BYTES_MAX ? look(tail(size)) : undefined);
}

module.exports = { original };
