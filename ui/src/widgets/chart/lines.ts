import { clockOf } from '../../base/zone';

/** Lines over time, and how their numbers read. */
export interface ChartLine {
  readonly name: string;
  readonly values: readonly (number | null)[];
  /** A token of the style sheet; else the colours of services in turn. */
  readonly colour?: string;
}

/** `1.2k`, `34.5`, `0.04`: short enough for an axis. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${trim(value / 1e9)}G`;
  if (size >= 1e6) return `${trim(value / 1e6)}M`;
  if (size >= 1e4) return `${trim(value / 1e3)}k`;
  if (size >= 100 || Number.isInteger(value)) return String(Math.round(value));
  if (size >= 1) return trim(value);
  return value === 0 ? '0' : value.toPrecision(2);
}

function trim(value: number): string {
  return value.toFixed(Math.abs(value) < 100 ? 1 : 0).replace(/\.0$/, '');
}

/** Times of day by the chosen clock; the date where a day begins. */
export function clockTicks(seconds: readonly number[]): readonly string[] {
  let before = '';
  return seconds.map((time) => {
    const { day, minute, second } = clockOf(new Date(time * 1000));
    const isNew = before !== '' && before !== day;
    before = day;
    if (isNew) return day.slice(5);
    return second === '00' ? minute : `${minute}:${second}`;
  });
}

/** Places of values that have none beside them, which a line alone would not show. */
export function lonely(values: readonly (number | null | undefined)[]): number[] {
  const isThere = (at: number): boolean => typeof values[at] === 'number';
  return values.flatMap((_, at) =>
    isThere(at) && !isThere(at - 1) && !isThere(at + 1) ? [at] : [],
  );
}

/** The token of a line's colour. */
export function lineToken(line: ChartLine, at: number): string {
  return line.colour ?? `service-${at % 12}`;
}

/** The colours of lines, as the element resolves them. */
export function lineColours(element: Element, lines: readonly ChartLine[]): readonly string[] {
  return lines.map((line, at) => tokenColour(element, lineToken(line, at)));
}

/** A token of the style sheet as a colour for a canvas. */
export function tokenColour(element: Element, token: string): string {
  const probe = document.createElement('i');
  element.append(probe);
  probe.style.color = `var(--${token})`;
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
