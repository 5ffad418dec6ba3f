import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Router, routeOf } from './router.svelte.ts';

describe('routeOf', () => {
  it.each([
    ['/', { name: 'hallway' }],
    ['/room/abc', { name: 'room', id: 'abc' }],
    ['/i/code', { name: 'invitation', code: 'code' }],
    ['/invitation/code', { name: 'invitation', code: 'code' }],
    ['/people/ana', { name: 'person', handle: 'ana' }],
    ['/settings', { name: 'settings' }],
    ['/settings/', { name: 'settings' }],
    ['/room', { name: 'unknown' }],
    ['/room/a/b', { name: 'unknown' }],
    ['/nowhere', { name: 'unknown' }],
    ['/people/%E0%A4%A', { name: 'person', handle: '%E0%A4%A' }],
  ])('%s', (path, expected) => {
    expect(routeOf(path)).toEqual(expected);
  });
});

describe('Router', () => {
  let router: Router;

  beforeEach(() => {
    router = new Router();
  });

  afterEach(() => {
    router.close();
    history.replaceState(null, '', '/');
  });

  function click(href: string, init: MouseEventInit = {}): void {
    const link = document.createElement('a');
    link.href = href;
    document.body.append(link);
    // jsdom cannot leave the page; after the router had its say, the test keeps it from trying.
    window.addEventListener('click', (seen) => seen.preventDefault(), { once: true });
    link.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, ...init }));
  }

  it('follows a link without leaving the page', () => {
    click('/settings');
    expect(router.route).toEqual({ name: 'settings' });
    expect(location.pathname).toBe('/settings');
  });

  it.each(['/accounts/login', '/admin/', '/dev'])('takes %s for a page that does not exist', (path) => {
    click(path);
    expect(router.route).toEqual({ name: 'unknown' });
    expect(location.pathname).toBe(path);
  });

  it.each([
    ['/api/v1/openapi.json', {}],
    ['/staff/', {}],
    ['/development/mailbox', {}],
    ['https://elsewhere.example/room/x', {}],
    ['/settings', { ctrlKey: true }],
  ])('leaves %s to the browser', (href, init) => {
    click(href, init);
    expect(router.route).toEqual({ name: 'hallway' });
  });
});
