// What a reader loads for each view, gzipped; too much fails the build.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** Of what comes before the first view is drawn, and of any other view opened first. */
export const VIEW_BYTES_MAX = 200_000;

/**
 * @typedef {{ file: string, bytes: number, isEntry: boolean, view: string | null,
 *   imports: readonly string[], styles: readonly string[] }} Chunk
 */

/**
 * Bytes of the page with each view opened first: the entry, the view, and what both import.
 * @param {readonly Chunk[]} chunks @param {ReadonlyMap<string, number>} styles @param {number} html
 */
export function sizesOf(chunks, styles, html) {
  const named = new Map(chunks.map((chunk) => [chunk.file, chunk]));
  /** @param {string} file @param {Set<string>} found */
  const follow = (file, found) => {
    if (found.has(file)) return;
    found.add(file);
    for (const next of named.get(file)?.imports ?? []) follow(next, found);
  };
  const entries = chunks.filter((chunk) => chunk.isEntry).map((chunk) => chunk.file);
  const views = chunks.filter((chunk) => chunk.view !== null);
  return views
    .map(({ file, view }) => {
      /** @type {Set<string>} */
      const loaded = new Set();
      for (const each of [...entries, file]) follow(each, loaded);
      const sheets = new Set([...loaded].flatMap((each) => named.get(each)?.styles ?? []));
      const scripts = [...loaded].reduce((sum, each) => sum + (named.get(each)?.bytes ?? 0), 0);
      const css = [...sheets].reduce((sum, each) => sum + (styles.get(each) ?? 0), 0);
      return { view: String(view), bytes: html + scripts + css };
    })
    .sort((a, b) => b.bytes - a.bytes);
}

/** Weighs what was built, and keeps the numbers in `test-results/sizes.json`. @returns {import('vite').Plugin} */
export function sizes() {
  return {
    name: 'sizes',
    apply: 'build',
    writeBundle(options, bundle) {
      const outputs = Object.values(bundle);
      const gzipped = (/** @type {string | Uint8Array} */ text) => gzipSync(text).length;
      /** @type {Map<string, number>} */
      const styles = new Map();
      /** @type {Chunk[]} */
      const chunks = [];
      for (const output of outputs) {
        if (output.type === 'asset') {
          if (output.fileName.endsWith('.css')) styles.set(output.fileName, gzipped(output.source));
          continue;
        }
        chunks.push({
          file: output.fileName,
          bytes: gzipped(output.code),
          isEntry: output.isEntry,
          view: /\/routes\/(\w+)Route\.svelte$/.exec(output.facadeModuleId ?? '')?.[1] ?? null,
          imports: output.imports,
          styles: [...(output.viteMetadata?.importedCss ?? [])],
        });
      }
      const html = gzipped(readFileSync(`${options.dir}/index.html`));
      const found = sizesOf(chunks, styles, html);
      if (found.length === 0) throw new Error('no view was built');
      const folder = fileURLToPath(new URL('../test-results/', import.meta.url));
      mkdirSync(folder, { recursive: true });
      writeFileSync(
        `${folder}sizes.json`,
        JSON.stringify({ unit: 'bytes, gzipped', goal: VIEW_BYTES_MAX, views: found }, null, 2),
      );
      for (const { view, bytes } of found)
        console.log(`${view.padEnd(12)} ${(bytes / 1000).toFixed(1).padStart(7)} kB gzipped`);
      const large = found.filter(({ bytes }) => bytes > VIEW_BYTES_MAX);
      if (large.length > 0) {
        const names = large.map(({ view, bytes }) => `${view} (${bytes} bytes)`).join(', ');
        throw new Error(`more than ${VIEW_BYTES_MAX} bytes gzipped to open ${names}`);
      }
    },
  };
}
