import type { Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type {
  Action,
  ActionList,
  AuditEntry,
  FittingActions,
  ShownAction,
  SourceList,
  Standing,
} from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { answered, keptOf, type Remote } from '../../base/remote';
import type { Result } from '../../base/result';
import { consumersOf, doneMoments, type DoneMoment } from './words';

/** From where a function takes events, or why nobody knows. */
export interface Sources {
  readonly of: string;
  readonly known: Result<SourceList, ApiError>;
}

type FittingApi = Pick<Api, 'audit' | 'fitting' | 'keep' | 'propose' | 'sources' | 'undo'>;

/** What can be done about an incident, and what was. */
export class FittingStore {
  #api: FittingApi;
  #asked = new Latest();
  #listed = new Latest();
  #recalled = new Latest();
  #incident = '';
  #remote = $state.raw<Remote<FittingActions, ApiError>>({ state: 'idle' });
  #sources = $state.raw<readonly Sources[]>([]);
  #entries = $state.raw<readonly AuditEntry[]>([]);
  #refusal = $state.raw<ApiError | null>(null);

  constructor(api: FittingApi) {
    this.#api = api;
  }

  get remote(): Remote<FittingActions, ApiError> {
    return this.#remote;
  }

  /** What could be disabled of the functions that take events, or could be stopped. */
  get sources(): readonly Sources[] {
    return this.#sources;
  }

  /** When something was done about it, or undone, and by whom. */
  get done(): readonly DoneMoment[] {
    return doneMoments(keptOf(this.#remote)?.actions ?? [], this.#entries);
  }

  /** Why the last thing that was wanted is not done. */
  get refusal(): ApiError | null {
    return this.#refusal;
  }

  async load(incident: string): Promise<void> {
    this.#incident = incident;
    this.#remote = { state: 'loading', kept: keptOf(this.#remote) };
    const answer = await this.#asked.run((signal) => this.#api.fitting(incident, signal));
    if (answer === superseded) return;
    this.#remote = answered<FittingActions, ApiError>(this.#remote, answer);
    if (!answer.ok) return;
    const isDone = answer.value.actions.some(({ state }) => state !== 'proposed');
    await Promise.all([this.#list(consumersOf(answer.value)), isDone && this.#recall()]);
  }

  /** The path at which it can be confirmed. */
  async propose(action: Action, who: string): Promise<string | null> {
    const answer = await this.#api.propose(action, Number(this.#incident), who);
    this.#refusal = answer.ok ? null : answer.error;
    return answer.ok ? answer.value.path : null;
  }

  async undo(id: string, who: string): Promise<void> {
    const answer = await this.#api.undo(id, who);
    this.#refusal = answer.ok ? null : answer.error;
    await this.load(this.#incident);
  }

  async keep(id: string, who: string): Promise<void> {
    const answer = await this.#api.keep(id, who);
    this.#refusal = answer.ok ? null : answer.error;
    await this.load(this.#incident);
  }

  /** The newest page of the audit log: of what is older the time at which it was done is known. */
  async #recall(): Promise<void> {
    const page = await this.#recalled.run((signal) => this.#api.audit(null, signal));
    if (page !== superseded && page.ok) this.#entries = page.value.entries;
  }

  async #list(functions: readonly string[]): Promise<void> {
    const listed = await this.#listed.run((signal) =>
      Promise.all(
        functions.map(async (of) => ({ of, known: await this.#api.sources(of, signal) })),
      ),
    );
    if (listed !== superseded) this.#sources = listed;
  }

  dispose(): void {
    this.#asked.cancel();
    this.#listed.cancel();
    this.#recalled.cancel();
  }
}

/** One proposed action, for whoever has its link. */
export class ConfirmStore {
  #api: Pick<Api, 'action' | 'confirm' | 'keep' | 'undo'>;
  #asked = new Latest();
  #id = '';
  #key = '';
  #remote = $state.raw<Remote<ShownAction, ApiError>>({ state: 'idle' });
  #standing = $state.raw<Standing | null>(null);
  #refusal = $state.raw<ApiError | null>(null);
  #busy = $state(false);

  constructor(api: Pick<Api, 'action' | 'confirm' | 'keep' | 'undo'>) {
    this.#api = api;
  }

  get remote(): Remote<ShownAction, ApiError> {
    return this.#remote;
  }

  /** How it stands: as it was shown, or after what was done here. */
  get standing(): Standing | null {
    return this.#standing ?? keptOf(this.#remote)?.action ?? null;
  }

  get refusal(): ApiError | null {
    return this.#refusal;
  }

  get busy(): boolean {
    return this.#busy;
  }

  async load(id: string, key: string): Promise<void> {
    [this.#id, this.#key] = [id, key];
    this.#standing = null;
    this.#remote = { state: 'loading', kept: null };
    const answer = await this.#asked.run((signal) => this.#api.action(id, key, signal));
    if (answer !== superseded) this.#remote = answered<ShownAction, ApiError>(this.#remote, answer);
  }

  async confirm(who: string, typed: string, keep: boolean): Promise<void> {
    const seen = keptOf(this.#remote)?.seen ?? null;
    const confirmation = { k: this.#key, who, typed, seen, ...(keep && { keep }) };
    await this.#do(() => this.#api.confirm(this.#id, confirmation));
  }

  async undo(who: string): Promise<void> {
    await this.#do(() => this.#api.undo(this.#id, who));
  }

  async keep(who: string): Promise<void> {
    await this.#do(() => this.#api.keep(this.#id, who));
  }

  async #do(work: () => ReturnType<Api['undo']>): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const answer = await work();
    this.#busy = false;
    this.#refusal = answer.ok ? null : answer.error;
    if (answer.ok) this.#standing = answer.value;
  }

  dispose(): void {
    this.#asked.cancel();
  }
}

type AuditApi = Pick<Api, 'inForce' | 'audit' | 'keep' | 'switchActions' | 'undo'>;

/** What was done, and the switch. */
export class AuditStore {
  #api: AuditApi;
  #asked = new Latest();
  #remote = $state.raw<Remote<ActionList, ApiError>>({ state: 'idle' });
  #older = $state.raw<readonly Standing[]>([]);
  #olderNext = $state.raw<string | null>(null);
  #entries = $state.raw<readonly AuditEntry[]>([]);
  #next = $state.raw<string | null>(null);
  #refusal = $state.raw<ApiError | null>(null);

  constructor(api: AuditApi) {
    this.#api = api;
  }

  get remote(): Remote<ActionList, ApiError> {
    return this.#remote;
  }

  /** What can be undone, the newest first. */
  get inForce(): readonly Standing[] {
    return [...(keptOf(this.#remote)?.actions ?? []), ...this.#older];
  }

  /** Whether more of it is known to be there. */
  get hasMoreInForce(): boolean {
    return this.#olderNext !== null;
  }

  get entries(): readonly AuditEntry[] {
    return this.#entries;
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  get refusal(): ApiError | null {
    return this.#refusal;
  }

  async load(): Promise<void> {
    this.#remote = { state: 'loading', kept: keptOf(this.#remote) };
    const answer = await this.#asked.run((signal) => this.#api.inForce(null, signal));
    if (answer === superseded) return;
    this.#remote = answered<ActionList, ApiError>(this.#remote, answer);
    if (answer.ok) {
      this.#older = [];
      this.#olderNext = answer.value.next_cursor;
    }
    await this.#page(null, []);
  }

  async more(): Promise<void> {
    await this.#page(this.#next, this.#entries);
  }

  async moreInForce(): Promise<void> {
    const answer = await this.#asked.run((signal) => this.#api.inForce(this.#olderNext, signal));
    if (answer === superseded) return;
    this.#refusal = answer.ok ? null : answer.error;
    if (!answer.ok) return;
    this.#older = [...this.#older, ...answer.value.actions];
    this.#olderNext = answer.value.next_cursor;
  }

  async switch(who: string, why: string | null): Promise<void> {
    const answer = await this.#api.switchActions(who, why);
    this.#refusal = answer.ok ? null : answer.error;
    await this.load();
  }

  async undo(id: string, who: string): Promise<void> {
    const answer = await this.#api.undo(id, who);
    this.#refusal = answer.ok ? null : answer.error;
    await this.load();
  }

  async keep(id: string, who: string): Promise<void> {
    const answer = await this.#api.keep(id, who);
    this.#refusal = answer.ok ? null : answer.error;
    await this.load();
  }

  dispose(): void {
    this.#asked.cancel();
  }

  async #page(cursor: string | null, before: readonly AuditEntry[]): Promise<void> {
    const answer = await this.#api.audit(cursor);
    if (!answer.ok) {
      this.#refusal = answer.error;
      return;
    }
    this.#entries = [...before, ...answer.value.entries];
    this.#next = answer.value.next_cursor;
  }
}
