import type { Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { GraphAnswer, GraphLanguage } from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { boundsOf, type TimeRange } from '../../base/range';
import { answered, keptOf, type Remote } from '../../base/remote';
import { now } from '../../base/time';
import { utcOffsetMinutes } from '../../base/zone';
import type { Known } from './complete';
import { namesOf, NO_LANGUAGE } from './words';

export type GraphApi = Pick<Api, 'graph' | 'graphLanguage' | 'edges'>;

/** One query, what it found, and what can be asked. */
export class GraphStore {
  #api: GraphApi;
  #asked = new Latest();
  #learned = new Latest();
  #named = new Latest();
  #remote = $state.raw<Remote<GraphAnswer, ApiError>>({ state: 'idle' });
  #known = $state.raw<Known>({ language: NO_LANGUAGE, names: [] });

  constructor(api: GraphApi) {
    this.#api = api;
  }

  get remote(): Remote<GraphAnswer, ApiError> {
    return this.#remote;
  }

  /** Words to complete with; none until they are there, without which one can ask as well. */
  get known(): Known {
    return this.#known;
  }

  async learn(): Promise<void> {
    const answer = await this.#learned.run((signal) => this.#api.graphLanguage(signal));
    if (answer === superseded) return;
    const language: GraphLanguage = answer.ok ? answer.value : NO_LANGUAGE;
    this.#known = { ...this.#known, language };
  }

  /** Who there is in a time. */
  async name(range: TimeRange): Promise<void> {
    const stretch = { ...boundsOf(range, now()), limit: EDGES_MAX };
    const answer = await this.#named.run((signal) => this.#api.edges(stretch, signal));
    if (answer === superseded || !answer.ok) return;
    this.#known = { ...this.#known, names: namesOf(answer.value.nodes) };
  }

  async ask(query: string, range: TimeRange): Promise<void> {
    if (query.trim() === '') {
      this.#asked.cancel();
      this.#remote = { state: 'idle' };
      return;
    }
    this.#remote = { state: 'loading', kept: keptOf(this.#remote) };
    const { from, to } = boundsOf(range, now());
    const question = {
      query,
      from: String(from),
      to: String(to),
      utc_offset_minutes: utcOffsetMinutes(),
    };
    const answer = await this.#asked.run((signal) => this.#api.graph(question, signal));
    if (answer !== superseded) this.#remote = answered<GraphAnswer, ApiError>(this.#remote, answer);
  }

  dispose(): void {
    this.#asked.cancel();
    this.#learned.cancel();
    this.#named.cancel();
  }
}

/** Names of more nodes nobody reads through. */
const EDGES_MAX = 2000;
