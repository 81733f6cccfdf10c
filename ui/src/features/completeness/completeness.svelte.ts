import type { Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { Completeness, FunctionCompleteness } from '../../api/model';
import { poll, type Poll, type Round } from '../../base/poll';
import { answered, asking, type Remote } from '../../base/remote';

/** What came of each function, asked again now and then. */
export class CompletenessStore {
  #api: Pick<Api, 'completeness'>;
  #poll: Poll | null = null;
  #remote = $state.raw<Remote<Completeness, ApiError>>({ state: 'idle' });

  constructor(api: Pick<Api, 'completeness'>) {
    this.#api = api;
  }

  get remote(): Remote<Completeness, ApiError> {
    return this.#remote;
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

  async #refresh(): Promise<Round> {
    const answer = await this.#api.completeness();
    this.#remote = answered<Completeness, ApiError>(this.#remote, answer);
    return answer.ok ? 'answered' : 'failed';
  }
}

/** Those that miss something first, then by name. */
export function worstFirst(
  functions: readonly FunctionCompleteness[],
): readonly FunctionCompleteness[] {
  const rank = (each: FunctionCompleteness): number => Number(each.complete);
  return [...functions].sort((a, b) => rank(a) - rank(b) || (a.function < b.function ? -1 : 1));
}

const POLL_MILLIS = 10_000;
