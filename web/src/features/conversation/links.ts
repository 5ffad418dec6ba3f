import type { Link } from '../../protocol/types.ts';

/**
 * What a pinned link shows and where it leads; `href` is null for anything that is not a web page.
 *
 * The server takes only http and https. This page would run `javascript:`, so it looks for itself.
 */
export function linkOf({ url, title }: Pick<Link, 'url' | 'title'>): { href: string | null; host: string; title: string } {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) return { href: null, host: '', title };
  const host = parsed.host.replace(/^www\./, '');
  return { href: parsed.href, host, title: title.trim() || host };
}

/** What somebody typed, as an address: they leave out the scheme. Null if it is none. */
export function typedUrl(text: string): string | null {
  const trimmed = text.trim();
  const full = /^[a-z][a-z0-9+.-]*:/i.test(trimmed) && !/^[^/]*:\d/.test(trimmed) ? trimmed : `https://${trimmed}`;
  return trimmed !== '' && linkOf({ url: full, title: '' }).href !== null ? full : null;
}
