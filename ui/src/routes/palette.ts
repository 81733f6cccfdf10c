/** What the palette leads to besides functions and traces. */
import { formatTheme, THEMES } from '../base/theme';
import { formatZone, ZONES } from '../base/zone';
import type { SavedQuery } from '../api/model';
import { keptAs, pathOf, questionOfSaved, type Question } from '../features/explore/questions';
import { Questions } from '../features/explore/questions.svelte';
import { page, type Entry } from '../features/palette/entries';
import { SECTIONS } from './sections';

export function ownEntries(
  environments: readonly string[],
  saved: readonly SavedQuery[],
): readonly Entry[] {
  const views = SECTIONS.map(({ href, label }): Entry => ({
    id: `view ${href}`,
    kind: 'view',
    label,
    about: 'view',
    choice: page(href),
  }));
  const investigate: Entry = {
    id: 'view /investigate',
    kind: 'view',
    label: 'Investigate',
    about: 'ask why it was slow, last night around ten',
    choice: page('/investigate'),
  };
  const graph: Entry = {
    id: 'view /graph',
    kind: 'view',
    label: 'Graph',
    about: 'ask who depends on whom',
    choice: page('/graph'),
  };
  const { past } = new Questions();
  const others = past.filter((each) => keptAs(saved, each) === null);
  const themes = THEMES.map((theme): Entry => ({
    id: `theme ${theme}`,
    kind: 'do',
    label: `Colours: ${formatTheme(theme)}`,
    about: 'switch',
    choice: { kind: 'do', what: `theme ${theme}` },
  }));
  // Where the reader's clock is that of UTC there is nothing to switch.
  const clocks = ZONES.filter((zone) => formatZone('local') !== 'UTC' || zone === 'utc');
  const zones = clocks.map((zone): Entry => ({
    id: `zone ${zone}`,
    kind: 'do',
    label: `Times of ${formatZone(zone)}`,
    about: zone === 'utc' ? 'switch' : 'your clock',
    choice: { kind: 'do', what: `zone ${zone}` },
  }));
  const places = environments.length === 0 ? [] : ['', ...environments];
  const there = places.map((environment): Entry => ({
    id: `environment ${environment}`,
    kind: 'do',
    label: environment === '' ? 'All environments' : `Environment: ${environment}`,
    about: 'switch',
    choice: { kind: 'do', what: `environment ${environment}` },
  }));
  const help: Entry = {
    id: 'keys',
    kind: 'do',
    label: 'Keys of this view',
    about: '?',
    choice: { kind: 'do', what: 'keys' },
  };
  return [
    ...views,
    investigate,
    graph,
    ...saved.map((each) => questionEntry(questionOfSaved(each), 'kept question', each.name)),
    ...themes,
    ...zones,
    ...there,
    help,
    ...others.map((each) => questionEntry(each, 'asked before')),
  ];
}

function questionEntry(question: Question, about: string, id = question.search): Entry {
  const { words, search } = question;
  return {
    id: `${about} ${id}`,
    kind: 'question',
    label: words,
    about,
    choice: page(pathOf(question), search),
  };
}
