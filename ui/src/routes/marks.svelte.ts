import type { Api } from '../api/client';
import type { IncidentSummary } from '../api/model';
import { Latest, superseded } from '../base/latest';
import type { Mark } from '../base/marks';
import { poll, type Poll, type PollPlace, type Round } from '../base/poll';
import { boundsOf, type TimeRange } from '../base/range';
import { now, parseUnixNanos } from '../base/time';

/** Incidents that go on, asked for now and then. A page is drawn without them where they cannot be had. */
export class MarksStore {
  #api: Pick<Api, 'incidents'>;
  #place: PollPlace | undefined;
  #poll: Poll | null = null;
  #open = $state.raw<readonly Mark[]>([]);

  constructor(api: Pick<Api, 'incidents'>, place?: PollPlace) {
    this.#api = api;
    this.#place = place;
  }

  /** As they were known last. */
  get open(): readonly Mark[] {
    return this.#open;
  }

  start(): void {
    this.#poll = poll(() => this.#refresh(), POLL_MILLIS, this.#place);
  }

  dispose(): void {
    this.#poll?.stop();
  }

  async #refresh(): Promise<Round> {
    const answer = await this.#api.incidents({ openOnly: true });
    if (!answer.ok) return 'failed';
    this.#open = answer.value.incidents.flatMap(markOf);
    return 'answered';
  }
}

/**
 * Incidents that went on at some moment of a time, ended or not: the newest of each node that is
 * asked about. Where none is, those that somebody should look at.
 */
export class PastMarksStore {
  #api: Pick<Api, 'incidents'>;
  #place: PollPlace | undefined;
  #poll: Poll | null = null;
  #asked = new Latest();
  #marks = $state.raw<readonly Mark[]>([]);
  /** The answer that they are of. */
  #told = '[]';

  constructor(api: Pick<Api, 'incidents'>, place?: PollPlace) {
    this.#api = api;
    this.#place = place;
  }

  /** As they were known last. */
  get marks(): readonly Mark[] {
    return this.#marks;
  }

  /** Asks about another time, or about others. */
  look(range: TimeRange, nodes: readonly string[]): void {
    this.#poll?.stop();
    this.#poll = poll(() => this.#refresh(range, nodes), POLL_MILLIS, this.#place);
  }

  dispose(): void {
    this.#poll?.stop();
    this.#asked.cancel();
  }

  async #refresh(range: TimeRange, nodes: readonly string[]): Promise<Round> {
    const { from, to } = boundsOf(range, now());
    const asked = { openOnly: false, from, to, limit: MARKS_MAX };
    const answers = await this.#asked.run((signal) =>
      Promise.all(
        nodes.length === 0
          ? [this.#api.incidents({ ...asked, severity: 'warning' }, signal)]
          : nodes.map((subject) => this.#api.incidents({ ...asked, subject }, signal)),
      ),
    );
    if (answers === superseded) return 'answered';
    if (answers.some(({ ok }) => !ok)) return 'failed';
    const found = answers.flatMap((answer) => (answer.ok ? answer.value.incidents : []));
    const unique = [...new Map(found.map((incident) => [incident.id, incident])).values()];
    // A chart is drawn anew for other marks, so the same ones stay.
    const told = JSON.stringify(unique);
    if (told !== this.#told) this.#marks = unique.flatMap(markOf);
    this.#told = told;
    return 'answered';
  }
}

function markOf(incident: IncidentSummary): readonly Mark[] {
  const since = parseUnixNanos(incident.since_unix_nanos);
  if (since === null) return [];
  const until = parseUnixNanos(incident.closed_unix_nanos);
  const { id, title, severity, nodes } = incident;
  return [{ id, title, severity, since, until, nodes }];
}

const POLL_MILLIS = 15_000;
/** More of one node are not told apart on a chart. */
const MARKS_MAX = 50;
