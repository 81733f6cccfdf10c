/** What a card is drawn from. */
import type { FunctionCard, Wall } from '../../api/model';
import { NANOS_PER_SECOND } from '../../base/time';

export type Order = 'deviation' | 'name' | 'rate' | 'errors' | 'throttles' | 'p50' | 'p99' | 'cost';

export const ORDERS: readonly { readonly value: Order; readonly label: string }[] = [
  { value: 'deviation', label: 'Unusual first' },
  { value: 'rate', label: 'Rate' },
  { value: 'errors', label: 'Errors' },
  { value: 'throttles', label: 'Throttles' },
  { value: 'p50', label: 'Median' },
  { value: 'p99', label: '99th' },
  { value: 'cost', label: 'Cost' },
  { value: 'name', label: 'Name' },
];

/** Cards at their places. */
export interface Placed {
  readonly cards: readonly FunctionCard[];
  /** What was asked for. */
  readonly text: string;
  readonly order: Order;
  /** The second in which they got these places. */
  readonly since: number;
}

/**
 * The cards that are asked for. Their numbers are of this second; their places are for five, so that they can be
 * read and pointed at, or until a card comes, goes, or is unusual as it was not before.
 */
export function place(before: Placed | null, wall: Wall, text: string, order: Order): Placed {
  const second = Number(BigInt(wall.at_unix_nanos) / NANOS_PER_SECOND);
  const found = arrange(wall.functions, text, order);
  const isSame = before !== null && before.text === text && before.order === order;
  if (isSame && second >= before.since && second - before.since < PLACES_SECONDS) {
    const cards = renewed(before.cards, found);
    if (cards !== null) return { ...before, cards };
  }
  return { cards: found, text, order, since: second };
}

/** The same cards with the numbers of now; null where others are there or other ones are unusual. */
function renewed(
  cards: readonly FunctionCard[],
  found: readonly FunctionCard[],
): readonly FunctionCard[] | null {
  const byName = new Map(found.map((card) => [card.function, card]));
  const fresh = cards.flatMap((card) => byName.get(card.function) ?? []);
  const isSame = fresh.every((card, at) => card.deviation === cards[at]?.deviation);
  return isSame && fresh.length === cards.length && cards.length === found.length ? fresh : null;
}

/** The cards whose function or service has the text in its name, in order. */
export function arrange(
  cards: readonly FunctionCard[],
  text: string,
  order: Order,
): readonly FunctionCard[] {
  const wanted = text.trim().toLowerCase();
  const found = cards.filter(
    (card) =>
      card.function.toLowerCase().includes(wanted) || card.service.toLowerCase().includes(wanted),
  );
  return found.sort((a, b) => weight(b, order) - weight(a, order) || byName(a, b));
}

function weight(card: FunctionCard, order: Order): number {
  switch (order) {
    case 'name':
      return 0;
    case 'deviation':
      return RANK[card.deviation] * 1e9 + errorShare(card) * 1e6 + card.window.rate;
    case 'rate':
      return card.window.rate;
    case 'errors':
      return errorShare(card) * 1e9 + card.window.rate;
    case 'throttles':
      return card.window.throttle_count ?? -1;
    case 'p50':
      return card.p50_ms ?? 0;
    case 'p99':
      return card.p99_ms ?? 0;
    case 'cost':
      return card.cost_usd_per_second ?? 0;
  }
}

const RANK = { strong: 3, slight: 2, none: 1, unknown: 0 } as const;

function byName(a: FunctionCard, b: FunctionCard): number {
  return a.function < b.function ? -1 : 1;
}

/** The part of the last ten seconds' invocations that failed. */
export function errorShare(card: FunctionCard): number {
  const { count, error_count } = card.window;
  return count === 0 ? 0 : error_count / count;
}

export function coldShare(card: FunctionCard): number {
  const { count, cold_start_count } = card.window;
  return count === 0 ? 0 : cold_start_count / count;
}

/** Of a circle whose area grows with the rate, in a square of 100: a dot at rest, 46 at 400 a second. */
export function radius(rate: number): number {
  return 4 + 42 * Math.sqrt(Math.min(rate, RATE_MAX) / RATE_MAX);
}

/** What the eye should see first, in words beside the colour. */
export const WORDS = {
  strong: 'far from normal',
  slight: 'unusual',
  none: 'as normal',
  unknown: 'nothing to compare with yet',
} as const;

/** Only who calls a function knows that it was refused. */
export function throttleWords(count: number | null): string {
  return count === null
    ? 'Not known: nobody who calls it by name tells of calls'
    : 'Calls that were refused because there were too many, as those tell who call it by name';
}

/** A line of two minutes in five-second steps, from zero up, so that noise does not look like a storm. */
export function sparkline(
  seconds: readonly (number | null)[],
  width: number,
  height: number,
): { readonly path: string; readonly most: number } {
  const steps: (number | null)[] = [];
  for (let at = 0; at < seconds.length; at += STEP) {
    const step = seconds.slice(at, at + STEP);
    const seen = step.filter((count) => count !== null);
    steps.push(
      seen.length < step.length ? null : seen.reduce((sum, count) => sum + count, 0) / STEP,
    );
  }
  const most = Math.max(1, ...steps.map((step) => step ?? 0));
  const x = (at: number): string => ((at / Math.max(1, steps.length - 1)) * width).toFixed(1);
  const y = (rate: number): string => (height - (rate / most) * height).toFixed(1);
  let path = '';
  let drawing = false;
  steps.forEach((step, at) => {
    if (step !== null) path += `${drawing ? 'L' : 'M'}${x(at)} ${y(step)}`;
    drawing = step !== null;
  });
  return { path, most };
}

/** `0.3`, `12`, `1,240` a second. */
export function perSecond(rate: number): string {
  if (rate >= 100) return String(Math.round(rate)).replace(/\B(?=(\d{3})+$)/g, ',');
  return rate >= 10 ? rate.toFixed(0) : rate.toFixed(1);
}

const PLACES_SECONDS = 5;
const RATE_MAX = 400;
const STEP = 5;
export const SECONDS_A_DAY = 86_400;
