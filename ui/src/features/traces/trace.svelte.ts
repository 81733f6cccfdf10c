import type { Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { Trace } from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { poll, type Poll, type PollPlace, type Round } from '../../base/poll';
import { answered, asking, keptOf, type Remote } from '../../base/remote';
import { after, between, now, NANOS_PER_SECOND } from '../../base/time';

/** One trace: asks again while its late spans may still arrive. */
export class TraceStore {
  #api: Pick<Api, 'trace'>;
  #traceId: string;
  #place: PollPlace | undefined;
  #latest = new Latest();
  #poll: Poll | null = null;
  #remote = $state.raw<Remote<Trace, ApiError>>({ state: 'idle' });
  #settled = $state(false);

  constructor(api: Pick<Api, 'trace'>, traceId: string, place?: PollPlace) {
    this.#api = api;
    this.#traceId = traceId;
    this.#place = place;
  }

  get remote(): Remote<Trace, ApiError> {
    return this.#remote;
  }

  get trace(): Trace | null {
    return keptOf(this.#remote);
  }

  /** False while the page still asks for spans that come late. */
  get settled(): boolean {
    return this.#settled;
  }

  start(): void {
    this.#remote = asking(this.#remote);
    this.#poll = poll(() => this.#refresh(), POLL_MILLIS, this.#place);
  }

  retry(): void {
    this.dispose();
    this.#settled = false;
    this.#remote = { state: 'loading', kept: this.trace };
    this.start();
  }

  dispose(): void {
    this.#poll?.stop();
    this.#latest.cancel();
  }

  async #refresh(): Promise<Round> {
    const answer = await this.#latest.run((signal) => this.#api.trace(this.#traceId, signal));
    if (answer === superseded) return 'done';
    if (answer.ok && sameTrace(this.trace, answer.value)) return this.#settle(answer.value);
    this.#remote = answered(this.#remote, answer);
    if (answer.ok) return this.#settle(answer.value);
    // An id that the server cannot know does not become known by asking again.
    return answer.error.kind === 'refused' && answer.error.status === 400 ? 'done' : 'failed';
  }

  #settle(trace: Trace): Round {
    if (this.#remote.state !== 'ready') this.#remote = { state: 'ready', value: trace };
    const age = between(after(trace.start, trace.duration), now());
    this.#settled = age > SETTLED_NANOS;
    return this.#settled ? 'done' : 'answered';
  }
}

/** Nothing was added: keep the object, and with it every derived row. */
function sameTrace(held: Trace | null, fresh: Trace): boolean {
  return (
    held !== null &&
    held.spans.length === fresh.spans.length &&
    held.logs.length === fresh.logs.length &&
    held.duration === fresh.duration &&
    held.errorCount === fresh.errorCount
  );
}

const POLL_MILLIS = 2_000;

// An extension sends what is left when the next invocation comes or the
// environment ends; most is here within seconds, and a reload finds the rest.
const SETTLED_NANOS = 60n * NANOS_PER_SECOND;
