/** By what some rows differ from others. */
import type { Condition } from './condition';

export interface Contrast {
  /** The most telling first. */
  readonly differences: readonly Difference[];
  readonly selection: Side;
  readonly rest: Side;
  /** How many conditions were compared. */
  readonly compared: number;
  /** Whether time was up before all was looked at. */
  readonly truncated: boolean;
}

export interface Side {
  readonly count: number;
  /** Those that were compared. */
  readonly sampled: number;
}

export interface Difference {
  readonly filters: readonly Condition[];
  readonly selection: Share;
  readonly rest: Share;
  /** What else holds of nearly the same rows. */
  readonly alike: readonly (readonly Condition[])[];
}

export interface Share {
  readonly hits: number;
  readonly of: number;
  readonly share: number;
}
