import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isServersPath, WEB_PREFIXES } from './server-paths.ts';

it('names what the gateway passes on to web', () => {
  const source = readFileSync('../salon/gateway/app.py', 'utf8');
  const [, list = ''] = /^WEB_PREFIXES = \((.*?)\)$/ms.exec(source) ?? [];
  expect([...list.matchAll(/"([^"]+)"/g)].map(([, prefix]) => prefix)).toEqual([...WEB_PREFIXES]);
});

describe('isServersPath', () => {
  it.each(['/api/v1/me', '/_allauth/browser/v1/config', '/development/mailbox', '/staff/', '/static/admin/base.css', '/uploads/a.webp'])(
    '%s is passed on to web',
    (path) => {
      expect(isServersPath(path)).toBe(true);
    },
  );

  it.each(['/ws', '/healthz', '/internal', '/internal/rooms'])('%s is answered by the gateway', (path) => {
    expect(isServersPath(path)).toBe(true);
  });

  it.each(['/', '/room/api', '/settings', '/people/staff', '/accounts/login', '/admin/', '/dev', '/wsx', '/healthz/x', '/staffroom'])(
    '%s is a page',
    (path) => {
      expect(isServersPath(path)).toBe(false);
    },
  );
});
