import type { Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { Trace, TraceSummary } from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { answered, asking, keptOf, type Remote } from '../../base/remote';
import { ok } from '../../base/result';
import { sameKind, typicalOf } from './compare';

/** What a trace is held against: others of its kind, and the one that was chosen. */
export class CompareStore {
  #api: Pick<Api, 'trace' | 'traces'>;
  #asked = new Latest();
  #chosen = new Latest();
  #kind = '';
  #otherId = '';
  #others = $state.raw<Remote<readonly TraceSummary[], ApiError>>({ state: 'idle' });
  #other = $state.raw<Remote<Trace, ApiError>>({ state: 'idle' });
  #typical = $derived(typicalOf(keptOf(this.#others) ?? []));

  constructor(api: Pick<Api, 'trace' | 'traces'>) {
    this.#api = api;
  }

  /** Recent traces of the same kind. */
  get others(): Remote<readonly TraceSummary[], ApiError> {
    return this.#others;
  }

  get typical(): TraceSummary | null {
    return this.#typical;
  }

  /** The one that is compared with. */
  get other(): Remote<Trace, ApiError> {
    return this.#other;
  }

  /** Looks for others of the trace's kind, once. */
  async look(trace: TraceSummary): Promise<void> {
    const { rootService, rootName } = trace;
    const kind = `${trace.traceId} ${rootService}\n${rootName}`;
    if (rootService === null || rootName === null || this.#kind === kind) return;
    this.#kind = kind;
    this.#others = asking(this.#others);
    const query = { service: rootService, operation: rootName, limit: ASKED_MAX };
    const answer = await this.#asked.run((signal) => this.#api.traces(query, signal));
    if (answer === superseded) return;
    const others = answer.ok ? ok(sameKind(trace, answer.value.traces)) : answer;
    this.#others = answered(this.#others, others);
    if (!answer.ok) this.#kind = '';
  }

  async choose(traceId: string): Promise<void> {
    if (this.#otherId === traceId) return;
    this.#otherId = traceId;
    this.#other = { state: 'loading', kept: null };
    const answer = await this.#chosen.run((signal) => this.#api.trace(traceId, signal));
    if (answer === superseded) return;
    this.#other = answered(this.#other, answer);
    if (!answer.ok) this.#otherId = '';
  }

  dispose(): void {
    this.#asked.cancel();
    this.#chosen.cancel();
  }
}

/** More than are looked at: a search by an operation also finds traces in which it is not the first. */
const ASKED_MAX = 200;
