import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SAVED_MAX } from '../../api/saved.svelte';
import { formatDraft, parseDraft, START, toDraft } from './draft';
import {
  formatShared,
  fresh,
  keptAs,
  parseQuestions,
  parseShared,
  pathOf,
  questionOf,
  questionOfSaved,
  savedOf,
  searchOf,
  thoseKept,
  type Question,
} from './questions';
import { Questions } from './questions.svelte';

const ERRORS = `query=${encodeURIComponent(
  formatDraft({ ...START, filters: [{ column: 'status', op: '=', value: 'error' }] }),
)}`;
const SQL = 'tab=sql&sql=select%201';

const named = (words: string, at = 0): Question => ({
  ...questionOf(`tab=sql&sql=select+${at}`),
  words,
});

describe('a question', () => {
  it('is what the address asks, without its time', () => {
    const { words, search } = questionOf(`${ERRORS}&range=6h&env=staging`);
    expect(words).toBe('COUNT, HEATMAP(duration_ms) by service where status = error');
    expect([...new URLSearchParams(search).keys()]).toEqual(['query']);
    expect(questionOf(`sql=left+over&range=6h`).search).toBe('query=');
  });

  it('is the same however the address is written', () => {
    expect(questionOf(SQL)).toEqual({ words: 'select 1', search: 'tab=sql&sql=select+1' });
    expect(questionOf('range=6h&sql=select+1&tab=sql')).toEqual(questionOf(SQL));
  });

  it('is asked at the time that is looked at', () => {
    const now = `?range=6h&${ERRORS}`;
    expect(searchOf(questionOf(SQL), now)).toBe('range=6h&tab=sql&sql=select+1');
    expect(searchOf(questionOf(''), now)).toBe('range=6h');
  });
});

describe('a list', () => {
  it.each([null, '', '{', '{}', '[null, 1, {"words": "x"}]'])(
    'is empty of nonsense: %s',
    (text) => {
      expect(parseQuestions(text)).toEqual([]);
    },
  );

  it('has nothing of an address but the question, and each once', () => {
    const search = 'tab=sql&sql=select+1&env=secret';
    const text = JSON.stringify([
      { words: 'a', search },
      { words: 'b', search, evil: true },
    ]);
    expect(parseQuestions(text)).toEqual([{ words: 'b', search: 'tab=sql&sql=select+1' }]);
  });

  it('goes through a link', () => {
    const list = [named('größer als 5 % & #1', 1), questionOf(ERRORS)];
    expect(parseShared(formatShared(list))).toEqual(list);
    expect(parseShared('#other')).toEqual([]);
    expect(parseShared('#questions=%')).toEqual([]);
  });
});

describe('a question that the server keeps', () => {
  const draft = {
    ...START,
    calculations: [{ op: 'P99', column: 'duration_ms' }],
    filters: [
      { column: 'status', op: '=', value: 'error' },
      { column: 'version', op: 'in', value: '1, "2", x' },
    ],
    any: true,
    order: 'P99(duration_ms)',
    ascending: true,
    limit: 7,
    step: 60,
  } as const;

  it.each([
    [formatDraft(START)],
    [formatDraft(draft)],
    [formatDraft({ ...draft, order: 'service' })],
  ])('is the same when it comes back: %s', (query) => {
    const question = questionOf(new URLSearchParams({ query }).toString());
    const saved = savedOf(question, 'mine');
    expect(saved.query).not.toHaveProperty('start_time');
    expect(toDraft(saved.query ?? {})).toEqual(parseDraft(query));
    expect(questionOfSaved(saved)).toEqual({ words: 'mine', search: question.search });
  });

  it('is a statement, or one to the graph', () => {
    const sql = { name: 'by hand', sql: 'select 1' };
    expect(savedOf(questionOf(SQL), 'by hand')).toEqual(sql);
    expect(questionOfSaved(sql)).toEqual({ words: 'by hand', search: 'tab=sql&sql=select+1' });
    const graph = questionOfSaved({ name: 'tables', graph: 'MATCH (t:Table) RETURN t' });
    expect([pathOf(graph), pathOf(questionOf(SQL))]).toEqual(['/graph', '/explore']);
    expect(searchOf(graph, '?range=6h&tab=sql&sql=x')).toBe(
      'range=6h&q=MATCH+%28t%3ATable%29+RETURN+t',
    );
  });

  it('is known again, however its values are written', () => {
    const asked = (value: string): Question =>
      questionOf(
        new URLSearchParams({
          query: formatDraft({ ...START, filters: [{ column: 'version', op: 'in', value }] }),
        }).toString(),
      );
    const kept = [savedOf(questionOf(SQL), 'other'), savedOf(asked('1, 2'), 'versions')];
    expect(keptAs(kept, asked('1,2'))?.name).toBe('versions');
    expect(keptAs(kept, asked('1,3'))).toBeNull();
  });

  it('is none of those that are there, has a name of its own, and room', () => {
    const kept = [savedOf(named('', 0), 'y')];
    const others = [named('x', 0), named('y', 1), named('y', 2), named('again', 2)];
    expect(fresh(kept, others).map(({ name }) => name)).toEqual(['y 2', 'y 3']);
    const full = Array.from({ length: SAVED_MAX - 1 }, (_, at) => savedOf(named('', at), `${at}`));
    expect(fresh(full, [named('a', 1000), named('b', 1001)])).toHaveLength(1);
  });
});

describe('questions of the browser', () => {
  let stored: Map<string, string>;

  beforeEach(() => {
    stored = new Map();
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => stored.set(key, value),
    });
    return () => vi.unstubAllGlobals();
  });

  it('that were kept before are offered until somebody has decided', () => {
    stored.set('throughline.explore.kept', JSON.stringify([named('one', 1), named('two', 2)]));
    const questions = new Questions();
    expect(questions.kept.map(({ words }) => words)).toEqual(['one', 'two']);
    questions.forgetKept(questions.kept);
    expect(questions.kept).toEqual([]);
    expect(new Questions().kept).toEqual([]);
  });

  it('that the server has no room for stay', () => {
    const own = [named('known', 0), named('one', 1000), named('two', 1001)];
    stored.set('throughline.explore.kept', JSON.stringify(own));
    const questions = new Questions();
    const full = Array.from({ length: SAVED_MAX - 1 }, (_, at) => savedOf(named('', at), `${at}`));
    const saved = [...fresh(full, questions.kept), ...full];
    questions.forgetKept(thoseKept(saved, questions.kept));
    expect(questions.kept.map(({ words }) => words)).toEqual(['two']);
    expect(new Questions().kept).toEqual(questions.kept);
    expect(thoseKept(saved, questions.kept)).toEqual([]);
  });

  it('are those of all tabs', () => {
    const [one, other] = [new Questions(), new Questions()];
    one.remember(named('one', 1));
    other.remember(named('other', 2));
    expect(other.past.map((each) => each.words)).toEqual(['other', 'one']);
  });

  it('asked before are the last thirty, each once', () => {
    const questions = new Questions();
    for (let at = 0; at < 40; at += 1) questions.remember(named('x', at));
    questions.remember(named('x', 20));
    expect(questions.past).toHaveLength(30);
    expect(questions.past[0]).toEqual(named('x', 20));
    questions.forget(questions.past[0]!.search);
    expect(questions.past).toHaveLength(29);
    questions.forgetAll();
    expect(new Questions().past).toEqual([]);
  });

  it('last as long as the page where storage is forbidden', () => {
    vi.stubGlobal('localStorage', undefined);
    const questions = new Questions();
    questions.remember(named('one', 1));
    questions.remember(named('two', 2));
    expect(questions.past.map((each) => each.words)).toEqual(['two', 'one']);
  });
});
