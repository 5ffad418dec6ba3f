/**
 * The addresses of this origin that the server answers itself; every other one is a page of the client.
 *
 * The router and the service worker both go by this. It says what the gateway's front door does (`salon/gateway/app.py`).
 */

/** Its `WEB_PREFIXES`; a test holds the two together. */
export const WEB_PREFIXES = ['/api/', '/_allauth/', '/development/', '/staff/', '/static/', '/uploads/'] as const;

/** What the gateway answers without asking web, be it with a refusal. */
const GATEWAY_OWN = /^\/(ws|healthz|internal(\/.*)?)$/;

export function isServersPath(path: string): boolean {
  return WEB_PREFIXES.some((prefix) => path.startsWith(prefix)) || GATEWAY_OWN.test(path);
}
