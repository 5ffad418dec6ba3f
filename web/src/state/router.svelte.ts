import { isServersPath } from '../protocol/server-paths.ts';

export type Route =
  | { name: 'hallway' }
  | { name: 'room'; id: string }
  | { name: 'sign-in' }
  | { name: 'invitation'; code: string }
  | { name: 'person'; handle: string }
  | { name: 'profile' }
  | { name: 'invitations' }
  | { name: 'settings' }
  | { name: 'mailbox' }
  | { name: 'unknown' };

export function routeOf(path: string): Route {
  const [first = '', second = '', ...rest] = path.split('/').filter(Boolean).map(decoded);
  if (rest.length > 0) return { name: 'unknown' };
  if (first === '') return { name: 'hallway' };
  if (second === '') {
    if (first === 'sign-in' || first === 'profile' || first === 'invitations' || first === 'settings' || first === 'mailbox')
      return { name: first };
    return { name: 'unknown' };
  }
  if (first === 'room') return { name: 'room', id: second };
  if (first === 'i' || first === 'invitation') return { name: 'invitation', code: second };
  if (first === 'people') return { name: 'person', handle: second };
  return { name: 'unknown' };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address bar. The page itself is never left, because sound must go on. */
export class Router {
  #path = $state(location.pathname);
  #scrolls = new Map<string, number>();
  #ending = new AbortController();

  constructor() {
    const { signal } = this.#ending;
    window.addEventListener('popstate', () => this.#goneBack(), { signal });
    document.addEventListener('click', (event) => this.#followLink(event), { signal });
  }

  close(): void {
    this.#ending.abort();
  }

  get path(): string {
    return this.#path;
  }

  get route(): Route {
    return routeOf(this.#path);
  }

  go(path: string, { replace = false }: { replace?: boolean } = {}): void {
    if (path === this.#path) return;
    this.#scrolls.set(this.#path, scrollY);
    if (replace) history.replaceState(null, '', path);
    else history.pushState(null, '', path);
    this.#path = new URL(path, location.href).pathname;
    scrollTo(0, 0);
  }

  #goneBack(): void {
    this.#path = location.pathname;
    const top = this.#scrolls.get(this.#path) ?? 0;
    requestAnimationFrame(() => scrollTo(0, top));
  }

  #followLink(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (isServersPath(link.pathname)) return;
    event.preventDefault();
    this.go(link.pathname);
  }
}
