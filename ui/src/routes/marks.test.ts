import { expect, it } from 'vitest';
import type { Api, IncidentQuery } from '../api/client';
import type { IncidentSummary } from '../api/model';
import { ok } from '../base/result';
import type { UnixNanos } from '../base/time';
import { PastMarksStore } from './marks.svelte';

const PLACE = { hidden: () => false, onVisibility: () => () => undefined };
const RANGE = {
  kind: 'fixed' as const,
  from: 600_000_000_000n as UnixNanos,
  to: 1_200_000_000_000n as UnixNanos,
};

function incident(id: number, ...nodes: readonly string[]): IncidentSummary {
  return {
    id,
    state: 'closed',
    severity: 'warning',
    title: 'pay is slower',
    since_unix_nanos: '700000000000',
    opened_unix_nanos: '800000000000',
    closed_unix_nanos: '900000000000',
    merged_into: null,
    nodes,
    finding_count: 1,
  };
}

/** What is asked of a server that knows these, and what becomes of the answer; the same answer leaves it as it is. */
async function looked(known: readonly IncidentSummary[], nodes: readonly string[]) {
  const asked: IncidentQuery[] = [];
  const api: Pick<Api, 'incidents'> = {
    incidents: (query) => {
      asked.push(query);
      const of = ({ nodes }: IncidentSummary) =>
        query.subject === undefined || nodes.includes(query.subject);
      const incidents = known.filter(of);
      const more = { total: incidents.length, truncated: false, next_cursor: null };
      return Promise.resolve(ok({ incidents, ...more }));
    },
  };
  const store = new PastMarksStore(api, PLACE);
  store.look(RANGE, nodes);
  await new Promise((later) => setTimeout(later));
  const { marks } = store;
  store.look(RANGE, nodes);
  await new Promise((later) => setTimeout(later));
  store.dispose();
  expect(store.marks).toBe(marks);
  return { asked: asked.slice(0, asked.length / 2), marks };
}

it('asks for those of each node in the time, ended or not, and has each once', async () => {
  const known = [incident(2, 'function:pay', 'service:pay'), incident(1, 'table:user')];
  const { asked, marks } = await looked(known, ['function:pay', 'service:pay']);
  expect(asked.map(({ subject }) => subject)).toEqual(['function:pay', 'service:pay']);
  const { from, to } = RANGE;
  expect(asked[0]).toEqual({ openOnly: false, from, to, limit: 50, subject: 'function:pay' });
  expect(marks.map(({ id, until }) => [id, until])).toEqual([[2, 900_000_000_000n]]);
});

it('of everybody those are asked for that somebody should look at', async () => {
  const { asked, marks } = await looked([incident(1, 'table:user')], []);
  expect(asked.map(({ severity, subject }) => [severity, subject])).toEqual([
    ['warning', undefined],
  ]);
  expect(marks).toHaveLength(1);
});
