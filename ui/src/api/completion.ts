import type { Api, Dataset } from './client';
import type { Known } from './model';

/** What columns, keys and values can be completed to; what was asked once is remembered. */
export class Completion {
  #api: Pick<Api, 'keys' | 'values'>;
  #known = new Map<string, readonly Known[]>();

  constructor(api: Pick<Api, 'keys' | 'values'>) {
    this.#api = api;
  }

  /** Keys that begin like this, columns first. */
  async keys(dataset: Dataset, prefix: string): Promise<readonly string[]> {
    const columns = COLUMNS[dataset].filter((column) => column.startsWith(prefix));
    const known = await this.#completed(`${dataset} ${prefix}`, () =>
      this.#api.keys(dataset, prefix),
    );
    return [...new Set([...columns, ...known.map((key) => key.text)])];
  }

  async values(dataset: Dataset, key: string, prefix: string): Promise<readonly string[]> {
    if (key === '') return [];
    const fixed = FIXED[key]?.filter((value) => value.startsWith(prefix));
    if (fixed) return fixed;
    const known = await this.#completed(`${dataset} ${key} ${prefix}`, () =>
      this.#api.values(dataset, key === 'service' ? 'service.name' : key, prefix),
    );
    return known.map((value) => value.text);
  }

  /** Only suggestions come from it, so a failure is not worth a word. */
  async #completed(name: string, load: () => ReturnType<Api['keys']>): Promise<readonly Known[]> {
    const held = this.#known.get(name);
    if (held) return held;
    const answer = await load();
    if (!answer.ok) return [];
    if (this.#known.size > COMPLETIONS_MAX) this.#known.clear();
    this.#known.set(name, answer.value);
    return answer.value;
  }
}

/** The columns that every row has. */
const COLUMNS: Readonly<Record<Dataset, readonly string[]>> = {
  spans: [
    'service',
    'name',
    'kind',
    'status',
    'duration_ms',
    'status_message',
    'trace_id',
    'span_id',
    'parent_span_id',
    'scope',
  ],
  logs: ['service', 'severity', 'severity_number', 'body', 'trace_id', 'event_name', 'scope'],
  metrics: ['name', 'unit', 'kind', 'value', 'count', 'service', 'scope'],
};
const FIXED: Readonly<Record<string, readonly string[]>> = {
  status: ['error', 'ok', 'unset'],
  kind: ['server', 'client', 'producer', 'consumer', 'internal'],
};
const COMPLETIONS_MAX = 500;
