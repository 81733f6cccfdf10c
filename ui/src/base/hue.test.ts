import { expect, it } from 'vitest';
import { hueOf, HUES } from './hue';

it('gives a service the same colour for ever', () => {
  // A change here repaints every screenshot and every reader's memory.
  expect(['checkout', 'inventory', 'notify'].map(hueOf)).toEqual([7, 8, 2]);
});

it('uses all colours and only those', () => {
  const hues = Array.from({ length: 500 }, (_, at) => hueOf(`service-${at}`));
  expect(new Set(hues).size).toBe(HUES);
  expect(Math.min(...hues)).toBe(0);
  expect(Math.max(...hues)).toBe(HUES - 1);
  expect(hueOf('')).toBeGreaterThanOrEqual(0);
});
