/** True when the key belongs to a control that uses it: text fields, selects, open dialogs. */
export function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target;
  if (!(target instanceof Element)) return false;
  return target.closest('input, textarea, select, dialog[open], [contenteditable]') !== null;
}

/** True when the focused control would act on Enter or space itself. */
export function isOnControl(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest('a, button, summary') !== null;
}
