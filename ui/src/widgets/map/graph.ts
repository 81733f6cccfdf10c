/** A map as it is drawn: who is there, and what moves between them. */
import type { Severity } from '../../base/marks';

/** How far something is from its own normal. */
export type Level = 'normal' | 'unusual' | 'bad' | 'silent';

export type Shape = 'function' | 'store' | 'queue' | 'outside' | 'group';

export interface MapNodeView {
  readonly id: string;
  readonly name: string;
  /** What it is, in a word: function, table, queue. */
  readonly kind: string;
  readonly shape: Shape;
  readonly level: Level;
  /** What the level says, where that is not how far from normal it is. */
  readonly levelWords?: string;
  /** What goes on there, in words; an incident. */
  readonly mark?: { readonly words: string; readonly severity: Severity };
  /** One line below the name: `2.1/s · 0.4 % errors`. */
  readonly line: string;
  /** Of a queue, how full it is drawn, 0 to 1. */
  readonly fill?: number;
}

export interface MapEdgeView {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Calls a second. */
  readonly rate: number;
  readonly level: Level;
  readonly asynchronous: boolean;
  /** How full the queue on an asynchronous one is drawn, 0 to 1. */
  readonly fill?: number;
  /** All of it in words, for those who point at it. */
  readonly words: string;
}

export const LEVELS: readonly Level[] = ['normal', 'unusual', 'bad', 'silent'];

export const LEVEL_WORDS: Readonly<Record<Level, string>> = {
  normal: 'as usual',
  unusual: 'unusual',
  bad: 'very unusual',
  silent: 'silent',
};

/** How something is drawn, by what it is. */
export function shapeOf(kind: string): Shape {
  if (kind === 'function' || kind === 'service') return 'function';
  if (kind === 'queue' || kind === 'topic' || kind === 'bus' || kind === 'stream') return 'queue';
  if (kind === 'host' || kind === 'other' || kind === 'api' || kind === 'balancer')
    return 'outside';
  return 'store';
}

export function worse(a: Level, b: Level): Level {
  return RANK[a] >= RANK[b] ? a : b;
}

const RANK: Readonly<Record<Level, number>> = { normal: 0, silent: 1, unusual: 2, bad: 3 };
