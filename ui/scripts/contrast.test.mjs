// Text must be readable in both themes: WCAG AA asks for 4.5 to 1.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const READABLE = 4.5;
const css = readFileSync(new URL('../src/app.css', import.meta.url), 'utf8');

/** @type {[string, string[]][]} */
const PAIRS = [
  ['text', ['bg', 'surface', 'hover', 'selected', 'error-bg']],
  ['text-2', ['bg', 'surface', 'hover', 'selected']],
  ['text-3', ['bg', 'surface', 'hover', 'selected']],
  ['accent', ['bg', 'surface', 'hover']],
  ['accent-text', ['accent']],
  ['error', ['bg', 'surface', 'error-bg', 'hover', 'selected']],
  ['warn', ['surface', 'warn-bg', 'selected']],
  ['cold', ['surface', 'cold-bg']],
];

for (const [at, theme] of ['light', 'dark'].entries()) {
  for (const [text, grounds] of PAIRS) {
    for (const ground of grounds) {
      test(`${theme}: ${text} on ${ground}`, () => {
        const ratio = contrast(token(text, at), token(ground, at));
        assert.ok(ratio >= READABLE, `${ratio.toFixed(2)} to 1`);
      });
    }
  }
}

/** @param {string} name @param {number} theme */
function token(name, theme) {
  const match = new RegExp(`--${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(css);
  const colour = match?.[theme + 1];
  assert.ok(colour, `app.css has no token --${name}`);
  return colour;
}

/** @param {string} a @param {string} b */
function contrast(a, b) {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

/** @param {string} hex */
function luminance(hex) {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
