import type { Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { Wall } from '../../api/model';
import { answered, keptOf, type Remote } from '../../base/remote';
import { ok } from '../../base/result';

/** What functions do right now; joins again when the connection breaks. */
export class WallStore {
  #api: Pick<Api, 'live'>;
  #environment: string;
  #ended = new AbortController();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #pause = PAUSE_MILLIS;
  #remote = $state.raw<Remote<Wall, ApiError>>({ state: 'idle' });

  constructor(api: Pick<Api, 'live'>, environment = '') {
    this.#api = api;
    this.#environment = environment;
  }

  get remote(): Remote<Wall, ApiError> {
    return this.#remote;
  }

  get wall(): Wall | null {
    return keptOf(this.#remote);
  }

  start(): void {
    void this.#listen();
  }

  dispose(): void {
    this.#ended.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #listen(): Promise<void> {
    this.#timer = null;
    const onwall = (wall: Wall): void => {
      this.#pause = PAUSE_MILLIS;
      this.#remote = answered(this.#remote, ok(wall));
    };
    const answer = await this.#api.live(onwall, this.#ended.signal, this.#environment);
    if (this.#ended.signal.aborted) return;
    if (!answer.ok) this.#remote = answered(this.#remote, answer);
    // A server in trouble is not hammered.
    this.#timer = setTimeout(() => void this.#listen(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, PAUSE_MILLIS_MAX);
  }
}

const PAUSE_MILLIS = 1000;
const PAUSE_MILLIS_MAX = 30_000;
