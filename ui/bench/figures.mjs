// Figures: what was measured beside what was wanted, as the other benchmarks have them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname } from 'node:path';

/**
 * `value` is null where it could not be measured; the note then says why.
 * @typedef {{ name: string, value: number | null, unit: string, goal?: string, met?: boolean | null,
 *   beside?: Record<string, number>, note: string }} Figure
 */

/** Less is better. @param {Omit<Figure, 'goal' | 'met'>} figure @param {number} most @returns {Figure} */
export function atMost(figure, most) {
  const { value } = figure;
  return { ...figure, goal: `<= ${most}`, met: value === null ? null : value <= most };
}

/** More is better. @param {Omit<Figure, 'goal' | 'met'>} figure @param {number} least @returns {Figure} */
export function atLeast(figure, least) {
  const { value } = figure;
  return { ...figure, goal: `>= ${least}`, met: value === null ? null : value >= least };
}

/** The one in the middle, of at least one. @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** What is below the figure as a table that people read. @param {readonly Figure[]} figures */
export function table(figures) {
  const head = row('figure', 'value', 'unit', 'goal', 'note');
  return [head, ...figures.map(rowOf)].join('\n');
}

/** @param {Figure} figure */
function rowOf({ name, value, unit, goal = '', met, beside = {}, note }) {
  const reached =
    goal === '' ? '' : `${goal}: ${met === null ? 'unknown' : met ? 'met' : 'MISSED'}`;
  const more = Object.entries(beside).map(([what, other]) => ` [${what}: ${shown(other)}]`);
  return row(name, value === null ? '-' : shown(value), unit, reached, note + more.join(''));
}

/** @param {string} name @param {string} value @param {string} unit @param {string} goal @param {string} note */
function row(name, value, unit, goal, note) {
  return `${name.padEnd(26)} ${value.padStart(9)} ${unit.padEnd(10)} ${goal.padEnd(18)} ${note}`;
}

/** @param {number} value */
function shown(value) {
  return String(Math.abs(value) >= 1000 ? Math.round(value) : rounded(value));
}

/** @param {number} value */
function rounded(value) {
  return Math.round(value * 100) / 100;
}

/** @param {string} file @param {readonly Figure[]} figures @param {string} browser */
export function write(file, figures, browser) {
  const git = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  const document = {
    bench: 'ui',
    commit: git.stdout.trim(),
    date: new Date().toISOString(),
    machine: `${os.cpus().length} cores, Linux ${os.release()}, load ${load()}, Chromium ${browser}, no graphics card`,
    figures: figures.map((figure) => ({
      ...figure,
      value: figure.value === null ? null : rounded(figure.value),
    })),
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  console.log(document.machine);
}

/** How many wanted to run in the minute before. */
export function load() {
  return readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? '';
}
