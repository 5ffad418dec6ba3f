// Runs before the first paint, so that a chosen theme never flashes in the other one. A file of its own because the
// content security policy allows no inline script. The stored shape is written by src/state/settings.svelte.ts.
try {
  var stored = JSON.parse(localStorage.getItem('salon.settings') || '{}');
  if (stored.theme === 'light' || stored.theme === 'dark') document.documentElement.dataset.theme = stored.theme;
} catch (_) {
  /* Storage is closed to us: the system's theme holds. */
}
