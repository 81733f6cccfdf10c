// Runs before the first paint so that a chosen theme never flashes the other
// one. A file of its own, so that a strict content security policy allows it.
try {
  const theme = localStorage.getItem('throughline.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; then the system's preference holds.
}
