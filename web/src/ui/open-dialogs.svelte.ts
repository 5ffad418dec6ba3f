/**
 * The modal dialogs that are open, the topmost last. Everything outside of that one is inert, to the finger and to screen readers alike;
 * what must be seen and heard all the same goes into it.
 */
let dialogs: readonly HTMLDialogElement[] = $state.raw([]);

export function dialogOpened(dialog: HTMLDialogElement): void {
  dialogs = [...dialogs, dialog];
}

export function dialogClosed(dialog: HTMLDialogElement): void {
  dialogs = dialogs.filter((other) => other !== dialog);
}

export function topmostDialog(): HTMLDialogElement | null {
  return dialogs.at(-1) ?? null;
}
