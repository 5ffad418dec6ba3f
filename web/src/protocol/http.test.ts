import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, asApiError, errorFromFrame } from './errors.ts';
import { HttpClient } from './http.ts';

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(body === null ? null : JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });

const refusal = (code: string, field: string | null = null) => ({ code, message: `about ${code}`, field });

let fetcher: ReturnType<typeof vi.fn<typeof fetch>>;
let http: HttpClient;

beforeEach(() => {
  document.cookie = 'csrftoken=; max-age=0';
  fetcher = vi.fn<typeof fetch>();
  http = new HttpClient(() => 'fr', fetcher);
});

const sentHeaders = (call: number) => new Headers(fetcher.mock.calls[call]?.[1]?.headers);

async function failureOf(promise: Promise<unknown>): Promise<ApiError> {
  return promise.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: unknown) => asApiError(error),
  );
}

describe('a request', () => {
  it('asks in the reader’s language and carries the CSRF token only where something changes', async () => {
    document.cookie = 'csrftoken=token1';
    fetcher.mockImplementation(() => Promise.resolve(answer(200, {})));
    await http.json('/api/v1/me');
    await http.json('/api/v1/rooms', { method: 'POST', json: { title: 'x' } });
    expect(sentHeaders(0).get('Accept-Language')).toBe('fr');
    expect(sentHeaders(0).get('X-CSRFToken')).toBeNull();
    expect(sentHeaders(1).get('X-CSRFToken')).toBe('token1');
    expect(sentHeaders(1).get('Content-Type')).toBe('application/json');
  });

  it('reads a refusal with its code, field and sentence', async () => {
    fetcher.mockResolvedValue(answer(400, refusal('invalid', 'title')));
    const error = await failureOf(http.json('/x'));
    expect([error.code, error.field, error.message, error.status, error.retry]).toEqual([
      'invalid',
      'title',
      'about invalid',
      400,
      'never',
    ]);
  });

  it('keeps the place in line that a full room gives', async () => {
    const line = { position: 4, length: 9, admitted_until: null, retry_after: 20 };
    fetcher.mockResolvedValue(answer(429, { ...refusal('room_full'), line }, { 'Retry-After': '20' }));
    const error = await failureOf(http.json('/api/v1/rooms/r/listen', { method: 'POST' }));
    expect([error.code, error.line]).toEqual(['room_full', line]);
  });

  it.each([
    [404, 'not_found', 'gone'],
    [410, 'room_ended', 'gone'],
    [429, 'too_many_requests', 'later'],
    [503, 'starting', 'later'],
    [403, 'not_on_stage', 'never'],
  ] as const)('tells by %i %s whether asking again can help: %s', async (status, code, retry) => {
    fetcher.mockResolvedValue(answer(status, refusal(code), { 'Retry-After': '3' }));
    const error = await failureOf(http.json('/x'));
    expect([error.retry, error.retryAfterSecs]).toEqual([retry, 3]);
  });

  it('says "later" when there was no answer at all', async () => {
    fetcher.mockRejectedValue(new TypeError('Failed to fetch'));
    const error = await failureOf(http.json('/x'));
    expect([error.code, error.retry]).toEqual(['unreachable', 'later']);
  });

  it('survives a refusal that is no JSON', async () => {
    fetcher.mockResolvedValue(new Response('<h1>Bad gateway</h1>', { status: 502 }));
    const error = await failureOf(http.json('/x'));
    expect([error.code, error.retry]).toEqual(['http_502', 'later']);
  });

  it('gets a CSRF cookie and asks once more where it had none', async () => {
    fetcher.mockImplementationOnce(() => Promise.resolve(answer(403, refusal('csrf_failed'))));
    fetcher.mockImplementationOnce(() => {
      document.cookie = 'csrftoken=fresh';
      return Promise.resolve(answer(200, {}));
    });
    fetcher.mockImplementationOnce(() => Promise.resolve(answer(201, { id: 'room' })));
    await expect(http.json('/api/v1/rooms', { method: 'POST', json: {} })).resolves.toEqual({ id: 'room' });
    expect(fetcher.mock.calls.map(([path]) => path)).toEqual(['/api/v1/rooms', '/api/v1/me', '/api/v1/rooms']);
    expect(sentHeaders(2).get('X-CSRFToken')).toBe('fresh');
  });

  it('gives up on CSRF after one more try', async () => {
    fetcher.mockImplementation((path) => Promise.resolve(path === '/api/v1/me' ? answer(200, {}) : answer(403, refusal('csrf_failed'))));
    expect((await failureOf(http.send('/x', { method: 'POST' }))).code).toBe('csrf_failed');
    expect(fetcher).toHaveBeenCalledTimes(3);
  });
});

describe('an error frame', () => {
  it.each([
    ['not_found', 'gone'],
    ['room_ended', 'gone'],
    ['starting', 'later'],
    ['not_a_moderator', 'never'],
  ] as const)('%s is %s', (code, retry) => {
    expect(errorFromFrame(refusal(code)).retry).toBe(retry);
  });
});
