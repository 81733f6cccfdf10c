import { describe, expect, it } from 'vitest';
import { marksAt, markWords, type Mark } from './marks';
import { unixNanosFromMillis } from './time';

function mark(id: number, severity: Mark['severity'], ...nodes: readonly string[]): Mark {
  const title = `${nodes[0]} is slower`;
  return { id, title, severity, since: unixNanosFromMillis(id * 1000), until: null, nodes };
}

describe('marks', () => {
  const all = [
    mark(1, 'note', 'function:pay'),
    mark(2, 'critical', 'function:order', 'table:user'),
    mark(3, 'warning', 'table:user'),
    mark(4, 'warning', 'table:user'),
  ];

  it('are those of a node, the gravest and newest first', () => {
    expect(marksAt(all, 'table:user').map(({ id }) => id)).toEqual([2, 4, 3]);
    expect(marksAt(all, 'table:users')).toEqual([]);
  });

  it('say what is wrong in one line', () => {
    expect(markWords(marksAt(all, 'table:user'))).toBe(
      'critical incident: function:order is slower, and 2 more',
    );
    expect(markWords(marksAt(all, 'function:pay'))).toBe('note incident: function:pay is slower');
    expect(markWords([])).toBe('');
  });
});
