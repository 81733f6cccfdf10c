import { describe, expect, it } from 'vitest';
import type { Action, AuditEntry, FittingActions, Standing } from '../../api/model';
import {
  behindWords,
  callText,
  canKeep,
  changed,
  consumersOf,
  doneMoments,
  entryWords,
  fieldsOf,
  firstOfEach,
  incidentOf,
  isWorse,
  linkOf,
  othersOf,
  outcome,
  standingWords,
  triedFor,
} from './words';

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

describe('event sources that could be disabled', () => {
  const proposal = (action: Action): FittingActions['proposals'][number] => ({
    finding: 'it fails',
    title: 'do it',
    needs_account: true,
    destructive: true,
    action,
    why: null,
  });
  const fitting: FittingActions = {
    place: 'local',
    stopped: null,
    proposals: [
      proposal({ do: 'disable', function: 'mail', source: 'u-1', hours: 4 }),
      proposal(stop),
      proposal({ do: 'ignore', node: 'n', kind: 'latency', reason: 'so', days: 9 }),
    ],
    consumers: ['mail', 'audit'],
    actions: [],
  };

  it('are of who takes events and of who could be stopped, each once', () => {
    expect(consumersOf(fitting)).toEqual(['mail', 'audit', 'pay']);
    expect(consumersOf({ ...fitting, consumers: ['pay'] })).toEqual(['pay']);
    expect(consumersOf({ ...fitting, consumers: ['a', 'b', 'c', 'd'] })).toEqual(['a', 'b', 'c']);
    expect(consumersOf({ ...fitting, place: 'off' })).toEqual([]);
  });

  it('are those that take events and are not proposed already', () => {
    const source = (id: string, enabled = true) => ({ id, name: id, source_arn: '', enabled });
    const all = [source('u-1'), source('u-2'), source('u-3', false)];
    expect(othersOf(all, fitting.proposals)).toEqual([source('u-2')]);
    expect(othersOf(all, [])).toEqual([source('u-1'), source('u-2')]);
  });
});

describe('who would notice through others', () => {
  it('is told with those in between', () => {
    const way = ['function:pay', 'function:order', 'queue:orders', 'service:web'];
    expect(behindWords({ node: 'service:web', way: 'upstream', path: way })).toBe(
      'service:web, by way of function:order and queue:orders',
    );
    const path = ['function:pay', 'queue:mails', 'function:mail'];
    expect(behindWords({ node: 'function:mail', way: 'downstream', path })).toBe(
      'function:mail, which gets what is handed over by way of queue:mails',
    );
  });
});

describe('entries of the audit log', () => {
  const entry: AuditEntry = {
    number: 1,
    at: 1,
    at_unix_nanos: '1',
    title: 'stop pay for 1 hour',
    who: 'ada',
    event: 'began',
  };

  it('say through which link, and why not', () => {
    expect(entryWords(entry)).toBe('ada · confirmed it');
    expect(entryWords({ ...entry, by_link_for: 'page' })).toBe('ada · confirmed it');
    expect(entryWords({ ...entry, by_link_for: 'mail:ops' })).toBe(
      'ada · confirmed it (through a link for mail:ops)',
    );
    expect(entryWords({ ...entry, event: 'failed', why: 'no route' })).toBe(
      'ada · it failed: no route',
    );
    expect(entryWords({ ...entry, event: 'verified', sentence: 'as predicted' })).toBe(
      'ada · looked at what came of it: as predicted',
    );
  });
});

describe('what came of another memory size', () => {
  const sentence = 'slower than predicted: 412 ms → 398 ms instead of 221 to 245 ms, for 40 % more';
  const verified = { at_unix_nanos: '2', verdict: 'slower' as const, sentence };
  const done: Standing = {
    id: '0123456789abcdef',
    title: 'give pay 1024 MB of memory',
    action: { do: 'memory', function: 'pay', memory_mb: 1024 },
    state: 'done',
    incident: null,
    proposed_unix_nanos: '1',
    done_unix_nanos: '1',
    until_unix_nanos: null,
    kept_by: null,
    before: null,
    why: null,
    who: 'ada',
    verified: null,
  };

  it('is waited for, and told where it is known', () => {
    expect(outcome(done)).toMatch(/^what comes of it is told after 200/);
    expect(outcome({ ...done, action: stop })).toBe('');
    expect(outcome({ ...done, state: 'undone' })).toBe('');
    const good = { ...verified, verdict: 'as_predicted' as const, sentence: 'as predicted' };
    expect(outcome({ ...done, verified: good })).toBe('as predicted');
    expect(isWorse({ ...done, verified: good })).toBe(false);
  });

  it('is put back by itself, unless somebody keeps it', () => {
    const tried = { ...done, action: { ...done.action, hours: 168 }, until_unix_nanos: '3' };
    expect(canKeep(tried)).toBe(true);
    expect(outcome(tried)).toMatch(/it is put back unless that is as predicted, or somebody keeps/);
    expect(canKeep({ ...tried, state: 'undone' })).toBe(false);
    expect(canKeep({ ...tried, action: stop })).toBe(false);
    const kept = { ...tried, until_unix_nanos: null, kept_by: 'bob' };
    expect(canKeep(kept)).toBe(false);
    expect(outcome(kept)).not.toMatch(/put back/);
    expect(standingWords(kept)).toBe('done, by ada, kept by bob');
    expect(standingWords(tried)).toBe('done, by ada');
  });

  it('is tried for days or hours', () => {
    const tried = (hours: number): string | null => triedFor({ ...done.action, hours });
    expect([tried(168), tried(24), tried(25), tried(1)]).toEqual([
      '7 days',
      '1 day',
      '25 hours',
      '1 hour',
    ]);
    expect(triedFor(done.action)).toBeNull();
    expect(triedFor(stop)).toBeNull();
  });

  it('is offered to be undone where it is worse, while it can be', () => {
    expect(outcome({ ...done, verified })).toBe(`${sentence}: undo it?`);
    expect(isWorse({ ...done, verified })).toBe(true);
    expect(outcome({ ...done, verified, state: 'undone' })).toBe(sentence);
    expect(isWorse({ ...done, verified, state: 'undone' })).toBe(false);
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
  it('say which incident they are about, as a number', () => {
    const of = (search: string): string | null => incidentOf(new URLSearchParams(search));
    expect(of('?k=a&incident=12')).toBe('12');
    for (const other of ['?k=a', '?incident=', '?incident=//evil.example', '?incident=1/../x'])
      expect(of(other)).toBeNull();
  });

  it('lead nowhere but to an action of this page', () => {
    expect(linkOf('/act/0199ab?k=A_-9')).toBe('/act/0199ab?k=A_-9');
    for (const other of ['https://evil.example/act/a?k=b', '//evil/act/a?k=b', '/act/a', '/x?k=b'])
      expect(linkOf(other)).toBeNull();
  });
});

describe('what fits', () => {
  it('has the first of each sort before all others', () => {
    const proposal = (action: Action) => ({
      finding: 'pay fails',
      title: action.do,
      action,
      needs_account: false,
      destructive: false,
      why: null,
    });
    const other: Action = { do: 'stop', function: 'mail', hours: 1 };
    const mute: Action = {
      do: 'mute',
      person: 'ops',
      node: 'function:pay',
      kind: 'errors',
      days: 1,
    };
    const { first, others } = firstOfEach([stop, other, mute].map(proposal));
    expect(first.map(({ action }) => action)).toEqual([stop, mute]);
    expect(others.map(({ action }) => action)).toEqual([other]);
  });
});

describe('what was done about an incident', () => {
  const standing: Standing = {
    id: '0199ab',
    title: 'deny pay writing to table:audit for 4 hours',
    action: { do: 'deny', function: 'pay', resource: 'table:audit', class: 'write', hours: 4 },
    state: 'undone',
    incident: 7,
    proposed_unix_nanos: '1',
    done_unix_nanos: '3',
    until_unix_nanos: null,
    kept_by: null,
    before: null,
    why: null,
    who: 'ada',
    verified: null,
  };
  const entry = (
    event: AuditEntry['event'],
    at: number,
    more: Partial<AuditEntry> = {},
  ): AuditEntry => ({
    number: at,
    at,
    at_unix_nanos: String(at),
    title: standing.title,
    who: 'ada',
    event,
    id: standing.id,
    ...more,
  });
  const told = (actions: readonly Standing[], entries: readonly AuditEntry[]) =>
    doneMoments(actions, entries).map(({ time, what }) => [Number(time), what]);

  it('is told with who, and so is its undoing', () => {
    const entries = [
      entry('undid', 9, { who: 'throughline' }),
      entry('undo_failed', 8, { who: 'throughline', why: 'no route' }),
      entry('undo_failed', 7, { who: 'throughline', why: 'no key' }),
      entry('did', 3),
      entry('did', 2, { id: 'another' }),
      entry('began', 2),
      entry('proposed', 1),
    ];
    expect(told([standing], entries)).toEqual([
      [3, `done by ada: ${standing.title}`],
      [8, `could not be undone by throughline (no route): ${standing.title}`],
      [9, `undone by throughline: ${standing.title}`],
    ]);
    expect(doneMoments([standing], entries)[0]!.nodes).toEqual(['table:audit']);
  });

  it('is told as far as it is known where the log goes on', () => {
    expect(told([standing], [])).toEqual([[3, `done by ada, undone since: ${standing.title}`]]);
    expect(told([standing], [entry('undid', 9, { who: 'bob' })])).toEqual([
      [3, `done by ada: ${standing.title}`],
      [9, `undone by bob: ${standing.title}`],
    ]);
    const failed = { ...standing, state: 'failed' as const, done_unix_nanos: null };
    expect(told([failed], [entry('failed', 4, { why: 'no role' })])).toEqual([
      [4, `tried by ada, and failed (no role): ${standing.title}`],
    ]);
  });

  it('is nothing while nobody has confirmed it', () => {
    const proposed = { ...standing, state: 'proposed' as const, done_unix_nanos: null, who: null };
    expect(told([proposed], [entry('proposed', 1)])).toEqual([]);
  });
});
