import { LEVELS } from './graph';
import type { Rgb } from './particles';

/** The colours of the levels as the style sheet has them, from 0 to 1. */
export function readColours(element: Element): readonly Rgb[] {
  const probe = document.createElement('i');
  element.parentElement?.append(probe);
  const colours = LEVELS.map((level): Rgb => {
    probe.style.color = `var(--map-${level})`;
    const [red = 0, green = 0, blue = 0] = (
      getComputedStyle(probe).color.match(/[\d.]+/g) ?? []
    ).map(Number);
    return [red / 255, green / 255, blue / 255];
  });
  probe.remove();
  return colours;
}
