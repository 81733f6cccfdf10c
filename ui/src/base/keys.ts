/** True when the key belongs to a control that uses it: text fields, selects, open dialogs; of a choice, what changes it. */
export function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target;
  if (!(target instanceof Element)) return false;
  if (target.closest(TAKES_ALL) !== null) return true;
  return target.matches('input') && /^(Arrow| $)/.test(event.key);
}

const TAKES_ALL =
  'input:not([type=radio], [type=checkbox]), textarea, select, dialog[open], [contenteditable]';

/** True when the focused control would act on Enter or space itself. */
export function isOnControl(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest('a, button, summary') !== null;
}

/**
 * To the next row of the lists and tables in `root`, or to the one before;
 * rows are marked with `data-row`. False where there is none.
 */
export function goToRow(root: ParentNode, by: 1 | -1): boolean {
  const rows = [...root.querySelectorAll<HTMLElement>('[data-row]')].filter(
    (row) => row.getClientRects().length > 0,
  );
  const at = rows.findIndex((row) => row === document.activeElement);
  const next = at === -1 ? (by === 1 ? 0 : rows.length - 1) : at + by;
  const row = rows[Math.max(0, Math.min(rows.length - 1, next))];
  row?.focus();
  return row !== undefined;
}
