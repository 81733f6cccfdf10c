import { describe, expect, it } from 'vitest';
import { fuzzy, piecesOf } from './fuzzy';

const NAMES = ['place-order', 'update-stats', 'notify-restaurant', 'notify-user', 'getRestaurants'];

/** Names that match, best first. */
function found(query: string): readonly string[] {
  return NAMES.flatMap((name) => {
    const match = fuzzy(query, name);
    return match === null ? [] : [{ name, score: match.score }];
  })
    .sort((a, b) => b.score - a.score)
    .map(({ name }) => name);
}

/** The text with its matched letters in brackets. */
function marked(query: string, text: string): string {
  const pieces = piecesOf(text, fuzzy(query, text)?.places ?? []);
  return pieces.map((piece) => (piece.hit ? `[${piece.text}]` : piece.text)).join('');
}

describe('fuzzy', () => {
  it.each([
    ['po', 'place-order'],
    ['nu', 'notify-user'],
    ['nr', 'notify-restaurant'],
    ['rest', 'getRestaurants'],
    ['stats', 'update-stats'],
    ['user notify', 'notify-user'],
    ['NOTIFYUSER', 'notify-user'],
  ])('%s finds %s first', (query, name) => expect(found(query)[0]).toBe(name));

  it('letters in another order, or that are not there, do not match', () => {
    expect(fuzzy('op', 'po')).toBeNull();
    expect(fuzzy('aa', 'a')).toBeNull();
    expect(fuzzy('x', 'abc')).toBeNull();
    expect(fuzzy('order x', 'place-order')).toBeNull();
    expect(fuzzy('a', '')).toBeNull();
  });

  it('nothing matches everything', () => {
    expect(fuzzy('', 'anything')?.places).toEqual([]);
    expect(fuzzy('  ', '')).not.toBeNull();
  });

  it('takes the best of all ways', () => {
    expect(marked('no', 'xno-a-notify')).toBe('xno-a-[no]tify');
    expect(marked('gr', 'getRestaurants')).toBe('[g]et[R]estaurants');
    expect(marked('order', 'oprder-order')).toBe('oprder-[order]');
    // A beginning that leaves too little for the rest is no way.
    expect(marked('abc', 'abc-a')).toBe('[abc]-a');
  });

  it('letters of two code units stay whole', () => {
    expect(marked('a', '🍕🍕-a')).toBe('🍕🍕-[a]');
  });

  it('of two that match alike the shorter one is better', () => {
    expect(fuzzy('pay', 'pay')!.score).toBeGreaterThan(fuzzy('pay', 'pay-later')!.score);
  });
});
