import { describe, expect, it } from 'vitest';
import type { Action, AuditEntry } from '../../api/model';
import { callText, changed, entryWords, fieldsOf, linkOf } from './words';

const stop: Action = { do: 'stop', function: 'pay', hours: 1 };

describe('what of an action can be changed', () => {
  it('is what it has', () => {
    expect(fieldsOf(stop).map(({ name }) => name)).toEqual(['hours']);
    const ignore: Action = { do: 'ignore', node: 'n', kind: 'latency', reason: 'so', days: 9 };
    expect(fieldsOf(ignore).map(({ name }) => name)).toEqual(['reason', 'days']);
  });

  it('takes whole numbers alone where a number is meant', () => {
    const [hours] = fieldsOf(stop);
    if (hours === undefined) throw new Error('it has hours');
    expect(changed(stop, hours, '12')).toEqual({ ...stop, hours: 12 });
    for (const wrong of ['', '0', '-1', '1.5', 'x']) expect(changed(stop, hours, wrong)).toBe(stop);
  });
});

describe('entries of the audit log', () => {
  const entry: AuditEntry = { number: 1, at: 1, at_unix_nanos: '1', who: 'ada', event: 'began' };

  it('say through which link, and why not', () => {
    expect(entryWords(entry)).toBe('ada · confirmed it');
    expect(entryWords({ ...entry, by_link_for: 'page' })).toBe('ada · confirmed it');
    expect(entryWords({ ...entry, by_link_for: 'mail:ops' })).toBe(
      'ada · confirmed it (through a link for mail:ops)',
    );
    expect(entryWords({ ...entry, event: 'failed', why: 'no route' })).toBe(
      'ada · it failed: no route',
    );
  });
});

describe('calls', () => {
  it('have what is sent below them', () => {
    const call = {
      service: 'lambda' as const,
      operation: 'DeleteFunctionConcurrency',
      method: 'DELETE',
      path: '/x',
      parameters: null,
    };
    expect(callText(call)).toBe('lambda:DeleteFunctionConcurrency  DELETE /x');
    expect(callText({ ...call, parameters: { Enabled: false } })).toContain('"Enabled": false');
  });
});

describe('links', () => {
  it('lead nowhere but to an action of this page', () => {
    expect(linkOf('/act/0199ab?k=A_-9')).toBe('/act/0199ab?k=A_-9');
    for (const other of ['https://evil.example/act/a?k=b', '//evil/act/a?k=b', '/act/a', '/x?k=b'])
      expect(linkOf(other)).toBeNull();
  });
});
