import { expect, it } from 'vitest';
import { EventReader } from './events';

const STREAM =
  ': following\n\nid: 1\nevent: log\ndata: {"a":1}\n\n: still here\n\nevent: dropped\r\ndata: {\r\ndata: }\r\n\r\n';

it.each([1, 2, 7, 1000])('events come whole out of pieces of %i characters', (size) => {
  const reader = new EventReader();
  const found = [];
  for (let at = 0; at < STREAM.length; at += size)
    found.push(...reader.read(STREAM.slice(at, at + size)));
  expect(found).toEqual([
    { event: 'log', data: '{"a":1}' },
    { event: 'dropped', data: '{\n}' },
  ]);
});
