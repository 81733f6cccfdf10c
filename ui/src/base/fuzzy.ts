/** What somebody types into a palette against the names that there are. */
export interface Match {
  /** Higher is better; only worth comparing for one query. */
  readonly score: number;
  /** Which letters of the text matched, for showing them. */
  readonly places: readonly number[];
}

/**
 * Every word of the query must be in the text, letter by letter in order, in
 * the best of all ways: letters that begin a word of the text or follow each
 * other count more, and of two texts the shorter one. Null if it is not there.
 */
export function fuzzy(query: string, text: string): Match | null {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const places = new Set<number>();
  let score = -text.length / 100;
  for (const word of words) {
    const found = best(word, text.slice(0, TEXT_MAX));
    if (found === null) return null;
    score += found.score;
    for (const place of found.places) places.add(place);
  }
  return { score, places: [...places].sort((a, b) => a - b) };
}

/** The text in pieces, those that matched told apart from the others. */
export function piecesOf(
  text: string,
  places: readonly number[],
): readonly { readonly text: string; readonly hit: boolean }[] {
  const hits = new Set(places);
  const pieces: { text: string; hit: boolean }[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const last = pieces.at(-1);
    if (last && last.hit === hits.has(at)) last.text += text[at];
    else pieces.push({ text: text[at]!, hit: hits.has(at) });
  }
  return pieces;
}

/**
 * Letter by letter, for each place of the text: the best score of a way that
 * ends there, and the place before it on that way.
 */
function best(word: string, text: string): Match | null {
  const lower = text.toLowerCase();
  const worth = Array.from(
    { length: text.length },
    (_, at) => LETTER + (isBeginning(text, at) ? BEGINNING : 0),
  );
  const befores: number[][] = [];
  let scores = new Array<number>(text.length).fill(0);
  for (let nth = 0; nth < word.length; nth += 1) {
    const next = new Array<number>(text.length).fill(-Infinity);
    const before = new Array<number>(text.length).fill(-1);
    let far = -1;
    for (let at = nth; at < text.length; at += 1) {
      if (nth > 0 && at > 1 && (far === -1 || scores[at - 2]! > scores[far]!)) far = at - 2;
      if (lower[at] !== word[nth]) continue;
      if (nth === 0) next[at] = worth[at]!;
      else {
        const together = scores[at - 1]! + TOGETHER;
        const apart = far === -1 ? -Infinity : scores[far]!;
        next[at] = Math.max(together, apart) + worth[at]!;
        before[at] = together >= apart ? at - 1 : far;
      }
    }
    befores.push(before);
    scores = next;
  }
  const end = scores.reduce(
    (most, score, at) => (score > (scores[most] ?? -Infinity) ? at : most),
    0,
  );
  if (!Number.isFinite(scores[end] ?? -Infinity)) return null;
  const places = [end];
  for (let nth = word.length - 1; nth > 0; nth -= 1) places.push(befores[nth]![places.at(-1)!]!);
  return { score: scores[end]!, places: places.reverse() };
}

/** After a separator, or a capital after a small letter. */
function isBeginning(text: string, at: number): boolean {
  if (at === 0) return true;
  const [before, here] = [text[at - 1]!, text[at]!];
  return /[^\p{L}\p{N}]/u.test(before) || (/\p{Ll}/u.test(before) && /\p{Lu}/u.test(here));
}

const LETTER = 1;
const TOGETHER = 4;
const BEGINNING = 6;
const TEXT_MAX = 200;
