import { beforeEach, describe, expect, it, vi } from 'vitest';
import { formatDraft, START } from './draft';
import {
  formatShared,
  KEPT_MAX,
  news,
  parseQuestions,
  parseShared,
  questionOf,
  renamed,
  searchOf,
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
  it('gives a name, and what it asks where the name is empty', () => {
    const list = [questionOf(SQL)];
    expect(renamed(list, list[0]!.search, ' all ')[0]?.words).toBe('all');
    expect(renamed(list, list[0]!.search, '  ')[0]?.words).toBe('select 1');
    expect(renamed(list, 'other', 'all')).toEqual(list);
  });

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

  it('takes what it has not, as far as there is room', () => {
    const list = Array.from({ length: KEPT_MAX - 1 }, (_, at) => named('x', at));
    const others = [named('y', 0), named('z', 1000), named('w', 1001)];
    expect(news(list, others)).toEqual([named('z', 1000)]);
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

  it('are kept, renamed, removed and put back where they were', () => {
    const questions = new Questions();
    for (const at of [1, 2, 3]) questions.keep(named('', at), `the ${at}.`);
    const words = (): readonly string[] => questions.kept.map((each) => each.words);
    expect(words()).toEqual(['the 3.', 'the 2.', 'the 1.']);
    questions.rename(questions.kept[1]!.search, 'second');
    questions.remove(questions.kept[1]!);
    expect(words()).toEqual(['the 3.', 'the 1.']);
    expect(questions.removed?.words).toBe('second');
    questions.putBack();
    expect(words()).toEqual(['the 3.', 'second', 'the 1.']);
    expect(questions.removed).toBeNull();
    expect(new Questions().kept).toEqual(questions.kept);
  });

  it('are those of all tabs', () => {
    const [one, other] = [new Questions(), new Questions()];
    one.keep(named('', 1), 'one');
    other.keep(named('', 2), 'other');
    expect(other.kept.map((each) => each.words)).toEqual(['other', 'one']);
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

  it('no name is lost when there is no room', () => {
    const questions = new Questions();
    for (let at = 0; at < KEPT_MAX; at += 1) questions.keep(named('', at), 'x');
    questions.keep(named('', 1000), 'one too many');
    expect(questions.isFull).toBe(true);
    expect(questions.kept.some((each) => each.words === 'one too many')).toBe(false);
  });

  it('last as long as the page where storage is forbidden', () => {
    vi.stubGlobal('localStorage', undefined);
    const questions = new Questions();
    questions.keep(named('', 1), 'one');
    questions.keep(named('', 2), 'two');
    questions.take([named('three', 3)]);
    expect(questions.kept.map((each) => each.words)).toEqual(['two', 'one', 'three']);
  });
});
