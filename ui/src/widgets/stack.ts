/** Stack traces as their languages print them, told apart into ours and theirs. */
export interface StackLine {
  readonly text: string;
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
  return lines.map((text, at) => ({ text, ours: ours[at]! }));
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

const UNDERLINE = /^\s*[~^]+\s*$/;
const PYTHON_PLACE = /^\s*File ".*", line \d+/;
const RUST_PLACE = /^\s+at .*\.rs:\d+(:\d+)?$/;

function isContinuation(line: string | undefined): boolean {
  return line !== undefined && /^\s{2,}\S/.test(line) && !PYTHON_PLACE.test(line);
}
