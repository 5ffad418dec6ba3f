// Runs in the page before the page's own scripts. Keeps every sentence that a live region says: the region itself shows the newest alone.
(() => {
  const said = [];
  const note = (changes) => {
    for (const {target} of changes) {
      const element = target instanceof Element ? target : target.parentElement;
      const region = element?.closest('[aria-live="polite"], [aria-live="assertive"]');
      const sentence = region?.textContent.replaceAll('\u00a0', ' ').trim();
      if (sentence) said.push(sentence);
    }
  };
  new MutationObserver(note).observe(document, {subtree: true, childList: true, characterData: true});
  window.screenReader = {said: () => said};
})();
