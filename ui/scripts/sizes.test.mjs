import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sizesOf } from './sizes.mjs';

test('a view is the entry, its own code, and what both share once', () => {
  const chunk = { isEntry: false, view: null, imports: [], styles: [] };
  const chunks = [
    {
      ...chunk,
      file: 'main.js',
      bytes: 100,
      isEntry: true,
      imports: ['shared.js'],
      styles: ['a.css'],
    },
    { ...chunk, file: 'shared.js', bytes: 10, imports: ['main.js'] },
    {
      ...chunk,
      file: 'map.js',
      bytes: 1000,
      view: 'Map',
      imports: ['shared.js', 'chart.js'],
      styles: ['a.css', 'm.css'],
    },
    { ...chunk, file: 'chart.js', bytes: 500 },
    { ...chunk, file: 'list.js', bytes: 20, view: 'List', imports: ['main.js'] },
  ];
  const styles = new Map([
    ['a.css', 1],
    ['m.css', 2],
    ['unused.css', 4],
  ]);
  assert.deepEqual(sizesOf(chunks, styles, 5000), [
    { view: 'Map', bytes: 5000 + 100 + 10 + 1000 + 500 + 1 + 2 },
    { view: 'List', bytes: 5000 + 100 + 10 + 20 + 1 },
  ]);
});
