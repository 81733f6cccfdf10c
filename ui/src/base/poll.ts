/** What one round of polling came to; `done` ends it. */
export type Round = 'answered' | 'failed' | 'done';

/** Where a poll lives: the page, or a test. */
export interface PollPlace {
  hidden(): boolean;
  /** Calls back when visibility changes; returns how to stop listening. */
  onVisibility(listener: () => void): () => void;
}

export interface Poll {
  /** Asks now instead of at the next round. */
  kick(): void;
  stop(): void;
}

/**
 * Runs `task` every `everyMillis` while the page is visible. The next round
 * waits for the one before; after failures the pause doubles up to
 * `BACKOFF_MILLIS_MAX`, so that a server in trouble is not hammered.
 */
export function poll(
  task: () => Promise<Round>,
  everyMillis: number,
  place: PollPlace = page,
): Poll {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let running = false;
  let stopped = false;
  let pause = everyMillis;

  async function round(): Promise<void> {
    timer = null;
    if (stopped || running || place.hidden()) return;
    running = true;
    const outcome = await task();
    running = false;
    if (outcome === 'done') stop();
    pause = outcome === 'failed' ? Math.min(pause * 2, BACKOFF_MILLIS_MAX) : everyMillis;
    if (!stopped && timer === null) timer = setTimeout(round, pause);
  }

  function kick(): void {
    if (timer !== null) clearTimeout(timer);
    void round();
  }

  function stop(): void {
    stopped = true;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    unlisten();
  }

  const unlisten = place.onVisibility(() => {
    if (!place.hidden()) kick();
  });
  kick();
  return { kick, stop };
}

const BACKOFF_MILLIS_MAX = 15_000;

const page: PollPlace = {
  hidden: () => document.hidden,
  onVisibility(listener) {
    document.addEventListener('visibilitychange', listener);
    return () => document.removeEventListener('visibilitychange', listener);
  },
};
