import type { Api } from '../api/client';
import type { IncidentSummary } from '../api/model';
import type { Mark } from '../base/marks';
import { poll, type Poll, type PollPlace, type Round } from '../base/poll';
import { parseUnixNanos } from '../base/time';

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

function markOf(incident: IncidentSummary): readonly Mark[] {
  const since = parseUnixNanos(incident.since_unix_nanos);
  if (since === null) return [];
  const { id, title, severity, nodes } = incident;
  return [{ id, title, severity, since, nodes }];
}

const POLL_MILLIS = 15_000;
