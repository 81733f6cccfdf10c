import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Latest, superseded } from './latest';
import { poll, type PollPlace, type Round } from './poll';
import { answered, asking, keptOf, type Remote } from './remote';
import { err, ok } from './result';

describe('Latest', () => {
  it('lets only the newest answer through and aborts the others', async () => {
    const latest = new Latest();
    let answerOld: (text: string) => void = () => {};
    let oldSignal: AbortSignal | undefined;
    const old = latest.run((signal) => {
      oldSignal = signal;
      return new Promise<string>((resolve) => (answerOld = resolve));
    });
    const fresh = latest.run(() => Promise.resolve('fresh'));
    answerOld('old');
    expect(oldSignal?.aborted).toBe(true);
    expect([await old, await fresh]).toEqual([superseded, 'fresh']);
  });

  it('drops an answer that comes after cancel', async () => {
    const latest = new Latest();
    const run = latest.run(() => Promise.resolve(1));
    latest.cancel();
    expect(await run).toBe(superseded);
  });
});

describe('poll', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  class Place implements PollPlace {
    isHidden = false;
    listener: (() => void) | null = null;
    hidden = (): boolean => this.isHidden;
    onVisibility(listener: () => void): () => void {
      this.listener = listener;
      return () => (this.listener = null);
    }
    show(visible: boolean): void {
      this.isHidden = !visible;
      this.listener?.();
    }
  }

  function start(outcomes: Round[] = []) {
    const place = new Place();
    const task = vi.fn(() => Promise.resolve(outcomes.shift() ?? ('answered' as Round)));
    return { place, task, running: poll(task, 2_000, place) };
  }

  it('asks at once and then every two seconds', async () => {
    const { task } = start();
    expect(task).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(task).toHaveBeenCalledTimes(3);
  });

  it('waits for a slow answer before it asks again', async () => {
    let answer: (round: Round) => void = () => {};
    const task = vi.fn(() => new Promise<Round>((resolve) => (answer = resolve)));
    poll(task, 2_000, new Place());
    await vi.advanceTimersByTimeAsync(10_000);
    expect(task).toHaveBeenCalledTimes(1);
    answer('answered');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(task).toHaveBeenCalledTimes(2);
  });

  it('rests while the page is hidden and asks as soon as it is seen', async () => {
    const { place, task } = start();
    await vi.advanceTimersByTimeAsync(0);
    place.show(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(task).toHaveBeenCalledTimes(1);
    place.show(true);
    expect(task).toHaveBeenCalledTimes(2);
  });

  it('pauses longer after each failure and forgives with the first answer', async () => {
    const { task } = start(['failed', 'failed', 'answered']);
    await vi.advanceTimersByTimeAsync(3_999);
    expect(task).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(task).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(task).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(task).toHaveBeenCalledTimes(4);
  });

  it.each(['done', 'stopped'])('asks no more when %s', async (how) => {
    const { place, task, running } = start(how === 'done' ? ['done'] : []);
    await vi.advanceTimersByTimeAsync(0);
    if (how === 'stopped') running.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(task).toHaveBeenCalledTimes(1);
    expect(place.listener).toBeNull();
  });
});

describe('remote', () => {
  it('keeps what it had while it asks again and when that fails', () => {
    let remote: Remote<number, string> = { state: 'idle' };
    const seen: unknown[] = [];
    const step = (next: Remote<number, string>): void => {
      remote = next;
      seen.push([remote.state, keptOf(remote)]);
    };
    step(asking(remote));
    step(answered(remote, ok(1)));
    step(asking(remote));
    step(answered(remote, err('down')));
    step(asking(remote));
    step(answered(remote, ok(2)));
    expect(seen).toEqual([
      ['loading', null],
      ['ready', 1],
      ['ready', 1],
      ['failed', 1],
      ['failed', 1],
      ['ready', 2],
    ]);
  });
});
