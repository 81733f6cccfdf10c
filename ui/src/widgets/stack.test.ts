import { expect, it } from 'vitest';
import { readStack } from './stack';

/** Frames of libraries with a dot before them. */
function check(stack: string, expected: string): void {
  const drawn = readStack(stack).map((line) => `${line.ours ? '  ' : '. '}${line.text}`);
  expect(drawn.join('\n')).toBe(expected);
}

it('python: the code belongs to its file, underlines are left out', () => {
  check(
    `Traceback (most recent call last):
  File "/var/task/handler.py", line 61, in reserve
    reservation = warehouse.reserve(sku)
                  ^^^^^^^^^^^^^^^^^^^^^^
  File "/var/task/.venv/lib/python3.11/site-packages/tenacity/__init__.py", line 336, in wrapped_f
    return copy(f)
           ~~~~^^^
OutOfStock: none left`,
    `  Traceback (most recent call last):
    File "/var/task/handler.py", line 61, in reserve
      reservation = warehouse.reserve(sku)
.   File "/var/task/.venv/lib/python3.11/site-packages/tenacity/__init__.py", line 336, in wrapped_f
.     return copy(f)
  OutOfStock: none left`,
  );
});

it('node: modules and internals are theirs', () => {
  check(
    `TypeError: x is undefined
    at send (/var/task/index.mjs:12:9)
    at Runtime.handleOnce (/var/task/node_modules/aws-lambda-ric/index.mjs:900:3)
    at process.processTicksAndRejections (node:internal/process/task_queues:103:5)`,
    `  TypeError: x is undefined
      at send (/var/task/index.mjs:12:9)
.     at Runtime.handleOnce (/var/task/node_modules/aws-lambda-ric/index.mjs:900:3)
.     at process.processTicksAndRejections (node:internal/process/task_queues:103:5)`,
  );
});

it('rust: both lines of a frame share its lot', () => {
  check(
    `   0: std::panicking::begin_panic
             at /rustc/90b35a6/library/std/src/panicking.rs:697:5
   1: checkout::basket::reserve
             at ./src/basket.rs:41:13
   2: tokio::runtime::park
             at /home/me/.cargo/registry/src/tokio-1.48.0/src/runtime/park.rs:284:61`,
    `.    0: std::panicking::begin_panic
.              at /rustc/90b35a6/library/std/src/panicking.rs:697:5
     1: checkout::basket::reserve
               at ./src/basket.rs:41:13
.    2: tokio::runtime::park
.              at /home/me/.cargo/registry/src/tokio-1.48.0/src/runtime/park.rs:284:61`,
  );
});

it.each([
  [
    'python: the last call of our own, with its code',
    `Traceback (most recent call last):
  File "/var/task/handler.py", line 61, in reserve
    return take(sku)
  File "/var/task/warehouse.py", line 44, in take
    raise OutOfStock(sku)
  File "/opt/python/lib/python3.12/site-packages/x/y.py", line 9, in z
    pass
OutOfStock: none left`,
    ['/var/task/warehouse.py:44', 'raise OutOfStock(sku)'],
  ],
  [
    'node: the first of our own',
    `TypeError: x is undefined
    at parse (/var/task/node_modules/joi/index.js:3:1)
    at async send (file:///var/task/src/mail.mjs:12:9)
    at /var/task/index.mjs:90:3`,
    ['file:///var/task/src/mail.mjs:12'],
  ],
  [
    'rust: the first of our own',
    `   0: std::panicking::begin_panic
             at /rustc/90b35a6/library/std/src/panicking.rs:697:5
   1: checkout::basket::reserve
             at ./src/basket.rs:41:13`,
    ['./src/basket.rs:41'],
  ],
  ['nothing of ours', 'Error: x\n    at node:internal/timers:1:1', []],
])('where it failed: %s', (_, stack, expected) => {
  const causes = readStack(stack).filter((line) => line.cause);
  const told = causes.map(({ text, place }) =>
    place ? `${place.file}:${place.line}` : text.trim(),
  );
  expect(told).toEqual(expected);
});
