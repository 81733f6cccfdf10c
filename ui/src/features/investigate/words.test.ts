import { describe, expect, it } from 'vitest';
import { exploreHref } from '../../base/href';
import {
  amount,
  formatSlots,
  parseSlots,
  questionOf,
  searchHref,
  statementHref,
  timeOf,
} from './words';

const NOTHING = { q: '', symptom: '', node: '', from: '', to: '' };

describe('an investigation', () => {
  it('is what its address says', () => {
    const slots = {
      q: 'payment was slow',
      symptom: 'error',
      node: 'function:pay',
      from: '2026-11-21T21:30:00Z',
      to: '',
    };
    expect(parseSlots(formatSlots(slots))).toEqual(slots);
    expect(parseSlots('?symptom=tired&x=1')).toEqual(NOTHING);
    expect(formatSlots(NOTHING)).toBe('');
    expect(questionOf(slots)).toMatchObject({
      question: 'payment was slow',
      symptom: 'error',
      node: 'function:pay',
      from: '1795296600000000000',
    });
    expect(questionOf(slots)).not.toHaveProperty('to');
    expect(questionOf(NOTHING)).toBeNull();
    expect(questionOf({ ...NOTHING, q: 'x', from: 'some time' })).not.toHaveProperty('from');
  });

  it('leads to the rows that show it', () => {
    const times = { from: '1795296600000000000', to: '1795300200000000000' };
    const spans = {
      dataset: 'spans' as const,
      q: '',
      filters: [{ column: 'kind', op: 'in' as const, value: ['server', 'consumer'] }],
      ...times,
    };
    expect(searchHref(spans)).toBe(
      exploreHref(spans.filters, timeOf(times.from), timeOf(times.to)),
    );
    expect(new URLSearchParams(searchHref(spans).split('?')[1]).get('query')).toBe(
      '{"filters":[{"column":"kind","op":"in","value":"server, consumer"}]}',
    );
    const logs = {
      dataset: 'logs' as const,
      q: '"gave up on card"',
      filters: [{ column: 'service', op: '=' as const, value: 'pay' }],
      ...times,
    };
    expect(searchHref(logs)).toBe(
      '/logs?q=%22gave+up+on+card%22&service=pay&from=2026-11-21T21%3A30%3A00.000Z&to=2026-11-21T22%3A30%3A00.000Z',
    );
  });

  it('leads to the statement that shows it', () => {
    const said = new URLSearchParams(statementHref('select 1 as "a&b"').split('?')[1]);
    expect([said.get('tab'), said.get('sql')]).toEqual(['sql', 'select 1 as "a&b"']);
  });

  it('has numbers with their units', () => {
    const narrow = (text: string): string => text.replaceAll('\u202f', ' ');
    expect(narrow(amount('ms', 147.2))).toBe('147 ms');
    expect(narrow(amount('share', 0.333))).toBe('33 %');
    expect(amount('per_minute', 12)).toBe('12 a minute');
    expect(amount('per_minute', 1.25)).toBe('1.3 a minute');
    expect(amount('usd_per_hour', 2.1)).toBe('$2.10 an hour');
    expect(amount('count', 1234.4)).toBe('1,234');
  });
});
