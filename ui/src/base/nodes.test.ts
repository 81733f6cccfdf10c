import { describe, expect, it } from 'vitest';
import { nodeHref, nodeOf, partsOf } from './nodes';

describe('nodes', () => {
  it('have a kind and a name, which may have a colon too', () => {
    expect(nodeOf('function:order')).toEqual({
      id: 'function:order',
      name: 'order',
      kind: 'function',
    });
    expect(nodeOf('table:a:b')).toEqual({ id: 'table:a:b', name: 'a:b', kind: 'table' });
    expect(nodeOf('order')).toEqual({ id: 'order', name: 'order', kind: '' });
  });

  it('lead to functions, services and the map', () => {
    expect(nodeHref('function:pay it')).toBe('/functions/pay%20it');
    expect(nodeHref('table:a:b')).toBe('/map?select=table%3Aa%3Ab');
  });
});

describe('a sentence', () => {
  const said = (sentence: string, ids: readonly string[]): string =>
    partsOf(sentence, ids)
      .map((part) => (typeof part === 'string' ? part : `<${part.kind} ${part.name}>`))
      .join('');

  it('has its nodes by their names', () => {
    const both = ['function:pay', 'table:user.v1'];
    expect(said('function:pay → table:user.v1 PutItem is new, once', both)).toBe(
      '<function pay> → <table user.v1> PutItem is new, once',
    );
    expect(said('function:pay: version 42', both)).toBe('<function pay>: version 42');
  });

  it('is not cut within another name', () => {
    const ids = ['function:pay', 'function:pay-more'];
    expect(said('function:pay-more is slower', ids)).toBe('<function pay-more> is slower');
    expect(said('function:payment is slower', ids)).toBe('function:payment is slower');
    expect(said('my-function:pay is slower', ids)).toBe('my-function:pay is slower');
  });

  it('stays as it is where nobody is known', () => {
    expect(said('function:pay is slower', [])).toBe('function:pay is slower');
  });
});
