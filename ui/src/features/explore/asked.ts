/** What a question is about, in the words of investigations. */
import type { SymptomName } from '../../api/model';
import { fromTyped, type Condition } from '../../base/condition';
import { investigateHref } from '../../base/href';
import type { Bounds } from '../../base/range';
import { subjectOf, type Subject } from '../../base/subject';
import type { Draft } from './draft';

/** Whom its conditions name. */
export function aboutOf(draft: Draft): Subject {
  return subjectOf(certain(draft));
}

/** What would be wrong; empty where neither its conditions nor what a chart of it calculates say that. */
export function symptomOf(draft: Draft, calculation: string): SymptomName | '' {
  const conditions = certain(draft);
  const has = (column: string, value: (value: unknown) => boolean): boolean =>
    conditions.some((each) => each.column === column && each.op === '=' && value(each.value));
  if (has('error.type', (value) => THROTTLES.test(String(value)))) return 'throttle';
  if (has('http.response.status_code', (value) => Number(value) === 429)) return 'throttle';
  if (has('status', (value) => value === 'error')) return 'error';
  if (has('faas.coldstart', (value) => value === true)) return 'cold_start';
  if (calculation.endsWith('(duration_ms)')) return 'slow';
  return calculation.endsWith('(throughline.cost.usd)') ? 'expensive' : '';
}

/** Why it was so, in some time. */
export function askHref(draft: Draft, symptom: SymptomName | '', within: Bounds): string {
  const { node, q } = aboutOf(draft);
  return investigateHref({ node, q, symptom, ...within });
}

/** What holds for all of its rows. */
function certain({ any, filters }: Draft): readonly Condition[] {
  return any && filters.length > 1 ? [] : filters.map(fromTyped);
}

/** What is refused for there being too much of it, as the services of AWS call it. */
const THROTTLES = /throttl|TooManyRequests|SlowDown|LimitExceeded|ProvisionedThroughput/i;
