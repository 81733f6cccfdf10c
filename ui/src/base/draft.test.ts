import { expect, test } from 'vitest';
import { Draft, type Kept } from './draft.svelte';

interface Settings {
  readonly place: string;
  readonly things: readonly { readonly name: string; readonly to: number }[];
}
const first: Kept<Settings> = { settings: { place: 'x', things: [] }, edition: '1' };

function begun(): { draft: Draft<Settings>; tell: (kept: Kept<Settings>) => void } {
  let kept = first;
  return { draft: new Draft(() => kept), tell: (next) => (kept = next) };
}

test('what is changed is so until it is discarded or as it was', () => {
  const { draft } = begun();
  expect(draft.isChanged).toBe(false);
  draft.change({ place: 'y', things: [] });
  expect([draft.isChanged, draft.edition, draft.settings?.place]).toEqual([true, '1', 'y']);
  draft.change({ place: 'x', things: [] });
  expect(draft.isChanged).toBe(false);
  draft.change({ place: 'y', things: [] });
  draft.discard();
  expect(draft.settings).toBe(first.settings);
});

test('text is what is edited as soon as it is an object, and stays as it was typed', () => {
  const { draft } = begun();
  draft.write('{"place": "z"');
  expect(draft.wrong).not.toBeNull();
  expect([draft.isChanged, draft.settings?.place]).toEqual([true, 'x']);
  draft.write('[]');
  expect(draft.wrong).toBe('it is no object in braces');
  draft.write('{"place":"z"}');
  expect([draft.wrong, draft.text, draft.settings]).toEqual([
    null,
    '{"place":"z"}',
    { place: 'z' },
  ]);
});

test('a problem is gone with a change of its place', () => {
  const { draft } = begun();
  const problems = [
    { place: 'things[0].name', why: 'no' },
    { place: 'place', why: 'no' },
  ];
  draft.refuse(problems);
  draft.change({ place: 'y', things: [] }, 'place');
  expect(draft.problems).toEqual([problems[0]]);
  draft.change({ place: 'y', things: [] });
  expect(draft.problems).toEqual([]);
});

test('what somebody else has changed meanwhile is named, and mine goes on top of it', () => {
  const { draft, tell } = begun();
  draft.change({ place: 'mine', things: [] });
  expect(draft.conflict).toBeNull();
  tell({ settings: { place: 'x', things: [{ name: 'new', to: 1 }] }, edition: '2' });
  expect(draft.conflict).toEqual([{ field: 'things', name: 'new', how: 'added' }]);
  draft.merge();
  expect([draft.conflict, draft.edition]).toEqual([null, '2']);
  expect(draft.settings).toEqual({ place: 'mine', things: [{ name: 'new', to: 1 }] });
});

test('what was saved by itself is no conflict with what is still edited', () => {
  const { draft, tell } = begun();
  draft.change({ place: 'mine', things: [] });
  const thing = { name: 'new', to: 1 };
  const change = (settings: Settings): Settings => ({ ...settings, things: [thing] });
  tell({ settings: change(first.settings), edition: '2' });
  draft.follow(first, change);
  expect(draft.conflict).toBeNull();
  expect(draft.settings).toEqual({ place: 'mine', things: [thing] });
});
