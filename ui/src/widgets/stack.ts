/** Stack traces as their languages print them, told apart into ours and theirs. */
export interface StackPlace {
  readonly file: string;
  readonly line: number;
}

export interface StackLine {
  readonly text: string;
  /** What it names in a file. */
  readonly place: StackPlace | null;
  /** Where our own code failed, and the code there where the language prints it. */
  readonly cause: boolean;
  /** False for frames of libraries and runtimes, which are drawn fainter. */
  readonly ours: boolean;
}

/**
 * Python and Rust spread a frame over two lines, the place and the code or the
 * symbol and the place; both lines of a frame share its lot.
 */
export function readStack(stack: string): readonly StackLine[] {
  // Python underlines the failing part; on a wrapped line that points nowhere.
  const lines = stack.split('\n').filter((line) => !UNDERLINE.test(line));
  const ours = lines.map((line) => !FOREIGN.some((pattern) => pattern.test(line)));
  lines.forEach((line, at) => {
    if (PYTHON_PLACE.test(line) && isContinuation(lines[at + 1])) ours[at + 1] = ours[at]!;
    if (RUST_PLACE.test(line) && at > 0) {
      const both = ours[at]! && ours[at - 1]!;
      ours[at] = both;
      ours[at - 1] = both;
    }
  });
  const places = lines.map(placeIn);
  const causes = causeOf(lines, places, ours);
  return lines.map((text, at) => ({
    text,
    place: places[at]!,
    cause: causes.includes(at),
    ours: ours[at]!,
  }));
}

function placeIn(line: string): StackPlace | null {
  for (const pattern of PLACES) {
    const [, file, at] = pattern.exec(line) ?? [];
    if (file !== undefined) return { file, line: Number(at) };
  }
  return null;
}

/** Python tells the latest call last, others first. With the line of code that follows. */
function causeOf(
  lines: readonly string[],
  places: readonly (StackPlace | null)[],
  ours: readonly boolean[],
): readonly number[] {
  const own = places.flatMap((place, at) => (place !== null && ours[at] ? [at] : []));
  const isPython = own.some((at) => PYTHON_PLACE.test(lines[at]!));
  const cause = isPython ? own.at(-1) : own[0];
  if (cause === undefined) return [];
  return isPython && isContinuation(lines[cause + 1]) ? [cause, cause + 1] : [cause];
}

const FOREIGN = [
  /\/(site|dist)-packages\//,
  /\/lib\/python3\.\d+\//,
  /<frozen /,
  /\/node_modules\//,
  /\(?node:/,
  /\(?internal\//,
  /\/rustc\//,
  /\/\.cargo\/registry\//,
  /\d+:\s+(0x[0-9a-f]+ - )?(std|core|alloc|tokio)::/,
  /^\s*at <anonymous>/,
];

/** Python, Node, Rust. */
const PLACES = [
  /^\s*File "(.+)", line (\d+)/,
  /^\s+at (?:.* \(|async )?((?:file:\/\/)?[^()]+?):(\d+):\d+\)?$/,
  /^\s+at (.+\.rs):(\d+)$/,
];

const UNDERLINE = /^\s*[~^]+\s*$/;
const PYTHON_PLACE = /^\s*File ".*", line \d+/;
const RUST_PLACE = /^\s+at .*\.rs:\d+(:\d+)?$/;

function isContinuation(line: string | undefined): boolean {
  return line !== undefined && /^\s{2,}\S/.test(line) && !PYTHON_PLACE.test(line);
}
