import { describe, expect, it } from 'vitest';
import type { Service } from '../../api/model';
import { unixNanosFromMillis } from '../../base/time';
import { entriesOf, investigateEntry, page, search, traceEntry, type Entry } from './entries';

function service(name: string, operations: readonly string[]): Service {
  return { name, operations, spanCount: 1, errorCount: 0, lastSeen: unixNanosFromMillis(0) };
}

const map: Entry = { id: 'view map', kind: 'view', label: 'Map', about: '', choice: page('/map') };
const entries = [
  map,
  ...entriesOf([
    service('place-order', ['place-order', 'POST /orders']),
    service('map', []),
    service('orders & co', ['GET /']),
  ]),
];
const found = (query: string): readonly string[] =>
  search(query, entries).map(({ kind, label }) => `${kind} ${label}`);

describe('the palette', () => {
  it('knows functions and what they do, each once', () => {
    expect(found('')).toEqual([
      'view Map',
      'function place-order',
      'operation POST /orders',
      'function map',
      'function orders & co',
      'operation GET /',
    ]);
  });

  it('shows the best match first, and a view before a function of the same name', () => {
    expect(found('map').slice(0, 2)).toEqual(['view Map', 'function map']);
    expect(found('po')[0]).toBe('function place-order');
    expect(found('post ord')[0]).toBe('operation POST /orders');
    expect(found('nothing like it')).toEqual([]);
  });

  it('leads to pages whose addresses say the names', () => {
    const choices = search('GET', entries).map((entry) => entry.choice);
    expect(choices[0]).toEqual(page('/', 'service=orders+%26+co&operation=GET+%2F'));
    expect(search('orders & co', entries)[0]?.choice).toEqual(page('/functions/orders%20%26%20co'));
  });

  it.each([
    ['6740a1f09c3b5d2e8f7a4b1c0d9e8f7a', true],
    ['0192d4e0-7f1a-7c3b-9a55-0f6f2f0f9b11', true],
    ['ord-1021', true],
    ['1-674/1 0', false],
    ['orders', false],
    ['a1', false],
  ])('"%s" may be an id: %s', (text, isId) => {
    expect(traceEntry(` ${text} `) !== null).toBe(isId);
  });

  it('what looks like an id comes first', () => {
    expect(search('ord-1021', entries)[0]?.choice).toEqual(page('/traces/ord-1021'));
  });

  it.each([
    ['investigate', false],
    ['investigate: anything', true],
    ['payment was slow last night', true],
    ['why is it so', true],
    ['what failed', true],
    ['timed out around ten', true],
    ['colours dark', false],
    ['post orders', false],
    ['slow', false],
    ['ord-1021', false],
  ])('"%s" may be a question: %s', (text, isOne) => {
    expect(investigateEntry(text) !== null).toBe(isOne);
  });

  it('what looks like a question comes first', () => {
    const first = search('investigate: map was slow', entries)[0];
    expect(first?.label).toBe('Investigate: map was slow');
    expect(first?.choice).toEqual(page('/investigate', 'q=map+was+slow'));
  });

  it('shows no more than is asked for', () => {
    expect(search('', entries, 2)).toHaveLength(2);
  });
});
