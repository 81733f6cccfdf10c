import { SECTIONS } from './sections';

export interface Key {
  readonly keys: readonly string[];
  readonly does: string;
}

export const ALWAYS: readonly Key[] = [
  {
    keys: ['Ctrl K'],
    does: 'go to a view, a function, a trace by any of its ids, or ask why it was slow',
  },
  { keys: ['g', `1…${SECTIONS.length}`], does: 'go to the wall, the map and so on' },
  { keys: ['?'], does: 'show these keys' },
];

/** Where lists and tables have no keys of their own. */
export const ROW_KEYS: readonly Key[] = [
  { keys: ['j'], does: 'next row of a list or table' },
  { keys: ['k'], does: 'previous row' },
  { keys: ['Enter'], does: 'open what the row leads to' },
  ...ALWAYS,
];

export const LIST_KEYS: readonly Key[] = [
  { keys: ['j', '↓'], does: 'next trace' },
  { keys: ['k', '↑'], does: 'previous trace' },
  { keys: ['Enter'], does: 'open the trace' },
  { keys: ['r'], does: 'refresh and show what is new' },
  { keys: ['p'], does: 'stop refreshing, or go on' },
  { keys: ['/'], does: 'go to the filter' },
  ...ALWAYS,
];

export const TRACE_KEYS: readonly Key[] = [
  { keys: ['j', '↓'], does: 'next span' },
  { keys: ['k', '↑'], does: 'previous span' },
  { keys: ['h', '←'], does: 'fold, or go to the parent' },
  { keys: ['l', '→'], does: 'unfold, or go to the first child' },
  { keys: ['Enter'], does: 'open the span' },
  { keys: ['Esc'], does: 'close the panel, then undo the zoom' },
  { keys: ['e'], does: 'next cause of an error' },
  { keys: ['z'], does: 'stretch the span over the axis' },
  { keys: ['c'], does: 'the critical path to the end, to the answer, or none' },
  { keys: ['w'], does: 'logs between the spans, or spans alone' },
  { keys: ['n'], does: 'next match of the search' },
  { keys: ['Backspace'], does: 'back to the list' },
  { keys: ['/'], does: 'go to the filter' },
  ...ALWAYS,
];

export const MAP_KEYS: readonly Key[] = [
  { keys: ['+', '−'], does: 'bring the map nearer, or push it away' },
  { keys: ['0'], does: 'show all of the map' },
  { keys: ['←', '→'], does: 'a minute back, or on' },
  { keys: ['p'], does: 'play the minutes, or stop' },
  { keys: ['t'], does: 'the map as a table, and back' },
  { keys: ['Esc'], does: 'let go of what is selected' },
  { keys: ['/'], does: 'find somebody on the map' },
  ...ROW_KEYS,
];

export const GRAPH_KEYS: readonly Key[] = [
  { keys: ['/'], does: 'go to the query' },
  { keys: ['Ctrl Enter'], does: 'ask it' },
  { keys: ['Tab'], does: 'complete the word, where there is something to choose' },
  ...ROW_KEYS,
];

/** On a chart that was reached with Tab. */
const CHART_KEYS: readonly Key[] = [
  { keys: ['←', '→'], does: 'on a chart, a point back, or on; with Shift, choose a time' },
  { keys: ['Enter', 'Esc'], does: 'on a chart, compare the time that is chosen, or let go of it' },
];

export const LOG_KEYS: readonly Key[] = [
  { keys: ['/'], does: 'go to the search' },
  { keys: ['j', '↓'], does: 'next line' },
  { keys: ['k', '↑'], does: 'previous line' },
  { keys: ['Enter'], does: 'unfold the line' },
  { keys: ['f'], does: 'follow new lines, or stop' },
  { keys: ['r'], does: 'ask again' },
  ...CHART_KEYS,
  ...ALWAYS,
];

export const EXPLORE_KEYS: readonly Key[] = [
  { keys: ['q'], does: 'keep this question, open one that was kept or asked before' },
  ...CHART_KEYS,
  ...ROW_KEYS,
];

export const WALL_KEYS: readonly Key[] = [{ keys: ['/'], does: 'find a function' }, ...ROW_KEYS];

export const FUNCTION_KEYS: readonly Key[] = [{ keys: ['r'], does: 'ask again' }, ...ROW_KEYS];
