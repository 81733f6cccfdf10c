import type { Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { Incident, IncidentPage, IncidentSummary } from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { poll, type Poll, type Round } from '../../base/poll';
import { answered, asking, keptOf, type Remote } from '../../base/remote';

/** Incidents, the newest first, asked for again now and then. */
export class IncidentsStore {
  #api: Pick<Api, 'incidents'>;
  #openOnly: boolean;
  #poll: Poll | null = null;
  #remote = $state.raw<Remote<IncidentPage, ApiError>>({ state: 'idle' });
  #older = $state.raw<readonly IncidentSummary[]>([]);
  #next = $state.raw<string | null>(null);

  constructor(api: Pick<Api, 'incidents'>, openOnly: boolean) {
    this.#api = api;
    this.#openOnly = openOnly;
  }

  get remote(): Remote<IncidentPage, ApiError> {
    return this.#remote;
  }

  /** Those of the first page, which is always fresh, then those that were asked for. */
  get incidents(): readonly IncidentSummary[] {
    const first = keptOf(this.#remote)?.incidents ?? [];
    const known = new Set(first.map(({ id }) => id));
    return [...first, ...this.#older.filter(({ id }) => !known.has(id))];
  }

  get hasMore(): boolean {
    return this.#cursor() !== null;
  }

  start(): void {
    this.#remote = asking(this.#remote);
    this.#poll = poll(() => this.#refresh(), POLL_MILLIS);
  }

  retry(): void {
    this.#poll?.kick();
  }

  dispose(): void {
    this.#poll?.stop();
  }

  async more(): Promise<void> {
    const cursor = this.#cursor();
    if (cursor === null) return;
    const answer = await this.#api.incidents({ openOnly: this.#openOnly, cursor });
    if (!answer.ok) {
      this.#remote = answered<IncidentPage, ApiError>(this.#remote, answer);
      return;
    }
    this.#older = [...this.#older, ...answer.value.incidents];
    this.#next = answer.value.next_cursor;
  }

  #cursor(): string | null {
    if (this.#older.length > 0) return this.#next;
    return keptOf(this.#remote)?.next_cursor ?? null;
  }

  async #refresh(): Promise<Round> {
    const answer = await this.#api.incidents({ openOnly: this.#openOnly });
    this.#remote = answered<IncidentPage, ApiError>(this.#remote, answer);
    return answer.ok ? 'answered' : 'failed';
  }
}

/** One incident. */
export class IncidentStore {
  #api: Pick<Api, 'incident'>;
  #asked = new Latest();
  #remote = $state.raw<Remote<Incident, ApiError>>({ state: 'idle' });

  constructor(api: Pick<Api, 'incident'>) {
    this.#api = api;
  }

  get remote(): Remote<Incident, ApiError> {
    return this.#remote;
  }

  async load(id: string): Promise<void> {
    this.#remote = { state: 'loading', kept: keptOf(this.#remote) };
    const answer = await this.#asked.run((signal) => this.#api.incident(id, signal));
    if (answer !== superseded) this.#remote = answered<Incident, ApiError>(this.#remote, answer);
  }

  dispose(): void {
    this.#asked.cancel();
  }
}

const POLL_MILLIS = 15_000;
