// Holds the layers of the page: imports go downwards, features do not import
// each other. Also what no formatter sees: `any`, inline styles, long files.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What each layer may import besides itself. */
const LAYERS = /** @type {Record<string, string[]>} */ ({
  base: [],
  api: ['base'],
  widgets: ['base'],
  features: ['base', 'api', 'widgets'],
  routes: ['base', 'api', 'widgets', 'features'],
});

/** The only files outside the layers. */
const TOP = ['main.ts', 'demo.ts', 'env.d.ts'];
const LINES_MAX = 600;

/** Only the client fetches; only time.ts asks for the time. */
const ONLY_IN = [
  { what: 'fetch', pattern: /\bfetch\(/, file: 'api/client.ts' },
  { what: 'Date.now', pattern: /\bDate\.now\(/, file: 'base/time.ts' },
];

/** `file: reason, since when`: allowed until somebody pays it back. */
const DEBTS = /** @type {string[]} */ ([]);

const src = resolve(process.argv[2] ?? fileURLToPath(new URL('../src', import.meta.url)));
const problems = [];

for (const file of sources(src)) {
  const path = relative(src, file);
  const text = readFileSync(file, 'utf8');
  for (const problem of [...layerProblems(path, text), ...styleProblems(path, text)]) {
    if (!DEBTS.some((debt) => debt.startsWith(`${path}:`))) problems.push(`${path}: ${problem}`);
  }
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}

/** @param {string} path @param {string} text */
function layerProblems(path, text) {
  if (TOP.includes(path)) return [];
  const layer = layerOf(path);
  const allowed = LAYERS[layer];
  if (!allowed) return [`is in no layer (${Object.keys(LAYERS).join(', ')})`];
  return importsOf(path, text).flatMap((target) => {
    if (target.startsWith('..')) return [];
    const to = layerOf(target);
    if (to !== layer && !allowed.includes(to))
      return [`${layer} must not import ${to} (${target})`];
    const foreign = layer === 'features' && to === 'features' && noun(target) !== noun(path);
    return foreign ? [`feature ${noun(path)} must not import feature ${noun(target)}`] : [];
  });
}

/** @param {string} path @param {string} text */
function styleProblems(path, text) {
  /** @type {string[]} */
  const found = [];
  if (/\.test\.ts$|\.d\.ts$/.test(path)) return found;
  if (/(:\s*|<|as )any\b(?!\w)/.test(stripComments(text))) found.push('uses `any`');
  if (path.endsWith('.svelte') && /\sstyle=/.test(text)) {
    found.push('inline style: set a custom property (style:--x=) and use it in the style block');
  }
  const lines = text.split('\n').length;
  if (lines > LINES_MAX) found.push(`has ${lines} lines, more than ${LINES_MAX}`);
  for (const { what, pattern, file } of ONLY_IN) {
    if (path !== file && pattern.test(stripComments(text)))
      found.push(`${what} belongs in ${file}`);
  }
  return found;
}

/** Where relative imports lead, as paths inside src. @param {string} path @param {string} text */
function importsOf(path, text) {
  const found = text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g);
  return [...found].map((match) => join(dirname(path), match[1] ?? ''));
}

/** @param {string} path */
function layerOf(path) {
  return path.split('/')[0] ?? '';
}

/** @param {string} path */
function noun(path) {
  return path.split('/')[1] ?? '';
}

/** @param {string} text */
function stripComments(text) {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|<!--[\s\S]*?-->/g, '');
}

/** @param {string} folder @returns {string[]} */
function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.(ts|svelte)$/.test(entry.name) ? [path] : [];
  });
}
