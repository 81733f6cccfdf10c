import type uPlot from 'uplot';

/** uPlot follows a mouse alone: a finger that is drawn sideways over a chart selects as well. */
export function selectByTouch(chart: uPlot): void {
  const { over } = chart;
  let begin: number | null = null;

  function placeOf(event: PointerEvent): number {
    const { left, width } = over.getBoundingClientRect();
    return Math.min(width, Math.max(0, event.clientX - left));
  }

  function select(event: PointerEvent, isDone: boolean): void {
    if (begin === null) return;
    const place = placeOf(event);
    const [left, width] = [Math.min(begin, place), Math.abs(begin - place)];
    chart.setSelect({ left, width, top: 0, height: over.clientHeight }, isDone);
  }

  over.addEventListener('pointerdown', (event) => {
    begin = event.pointerType === 'touch' ? placeOf(event) : null;
  });
  over.addEventListener('pointermove', (event) => select(event, false));
  over.addEventListener('pointerup', (event) => {
    select(event, true);
    begin = null;
  });
  // The page is scrolled instead.
  over.addEventListener('pointercancel', () => {
    begin = null;
    chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  });
}
