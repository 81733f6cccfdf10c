// Writes src/api/schema.d.ts from the server's OpenAPI file; with --check only
// says whether it is up to date.
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const SOURCE = new URL('../../crates/server/openapi.json', import.meta.url);
const TARGET = new URL('../src/api/schema.d.ts', import.meta.url);
const HEAD = '// Written by `npm run api` from crates/server/openapi.json. Not edited by hand.\n\n';

const ast = await openapiTS(SOURCE, { immutable: true });
const fresh = HEAD + astToString(ast);

if (process.argv.includes('--check')) {
  const held = await readFile(TARGET, 'utf8').catch(() => '');
  if (held !== fresh) {
    console.error('src/api/schema.d.ts does not match crates/server/openapi.json: run npm run api');
    process.exit(1);
  }
} else {
  await writeFile(TARGET, fresh);
}
