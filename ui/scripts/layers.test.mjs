// The check itself is checked: a tree that breaks each rule once.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('layers.mjs', import.meta.url));

/** @param {Record<string, string>} files */
function check(files) {
  const root = mkdtempSync(join(tmpdir(), 'layers-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const { status, stderr } = spawnSync(process.execPath, [SCRIPT, root], { encoding: 'utf8' });
    return { status, said: stderr.trim() };
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('a tree in order passes', () => {
  const files = { 'features/a/x.ts': "import { y } from '../../base/y';", 'base/y.ts': '' };
  assert.deepEqual(check(files), { status: 0, said: '' });
});

/** @type {[string, string, RegExp][]} */
const BROKEN = [
  ['base/x.ts', "import y from '../api/y';", /base must not import api/],
  ['widgets/X.svelte', "<script>import y from '../api/y';</script>", /widgets must not import api/],
  ['widgets/x/y.ts', "import('../../features/a/y')", /widgets must not import features/],
  ['features/a/x.ts', "import y from '../b/y';", /feature a must not import feature b/],
  ['elsewhere/x.ts', '', /is in no layer/],
  ['base/x.ts', 'let x: any;', /uses `any`/],
  ['widgets/X.svelte', '<p style="color: red"></p>', /inline style/],
  ['widgets/x.ts', "await fetch('/x')", /fetch belongs in/],
  ['base/x.ts', 'x\n'.repeat(700), /more than 600/],
];

for (const [path, text, said] of BROKEN) {
  test(`${path} with ${JSON.stringify(text.slice(0, 40))} does not`, () => {
    const result = check({ [path]: text });
    assert.equal(result.status, 1);
    assert.match(result.said, said);
  });
}
