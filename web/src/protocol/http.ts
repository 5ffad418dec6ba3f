import { ApiError } from './errors.ts';
import type { Refusal } from './types.ts';

/** Long enough for a slow phone network, short enough that a hung server shows as "try again". */
const TIMEOUT_MS = 15_000;

export interface HttpRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  json?: unknown;
  body?: BodyInit;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  timeoutMs?: number;
}

type RefusalReader = (body: unknown) => Refusal | null;

/**
 * One origin's HTTP: cookies, the CSRF header, the language asked for, a timeout, and one error type.
 *
 * Every failure is an `ApiError`, except an abort by the caller's own signal, which stays an `AbortError`.
 */
export class HttpClient {
  #language: () => string;
  #fetch: typeof fetch;

  constructor(language: () => string, fetcher: typeof fetch = (...args) => fetch(...args)) {
    this.#language = language;
    this.#fetch = fetcher;
  }

  async json<T>(path: string, request: HttpRequest = {}, readRefusal: RefusalReader = refusalOf): Promise<T> {
    const response = await this.send(path, request, readRefusal);
    if (response.status === 204) return undefined as T;
    return (await response.json()) as T;
  }

  async send(path: string, request: HttpRequest = {}, readRefusal: RefusalReader = refusalOf): Promise<Response> {
    const response = await this.#ask(path, request);
    if (response.ok) return response;
    const error = await errorOf(response, readRefusal);
    if (error.code !== 'csrf_failed') throw error;
    // The cookie had run out or was never set: any answer of `me` sets it, and the refused request changed nothing.
    await this.#ask('/api/v1/me', {});
    const second = await this.#ask(path, request);
    if (second.ok) return second;
    throw await errorOf(second, readRefusal);
  }

  async #ask(path: string, request: HttpRequest): Promise<Response> {
    const method = request.method ?? 'GET';
    const headers = new Headers(request.headers);
    headers.set('Accept-Language', this.#language());
    if (!headers.has('Accept')) headers.set('Accept', 'application/json');
    if (request.json !== undefined) headers.set('Content-Type', 'application/json');
    const token = csrfToken();
    if (method !== 'GET' && token) headers.set('X-CSRFToken', token);
    const timeout = AbortSignal.timeout(request.timeoutMs ?? TIMEOUT_MS);
    try {
      return await this.#fetch(path, {
        method,
        headers,
        body: request.json === undefined ? (request.body ?? null) : JSON.stringify(request.json),
        credentials: 'same-origin',
        signal: request.signal ? AbortSignal.any([request.signal, timeout]) : timeout,
      });
    } catch (error) {
      if (request.signal?.aborted) throw error;
      throw ApiError.unreachable();
    }
  }
}

function csrfToken(): string | null {
  return /(?:^|;\s*)csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? null;
}

async function errorOf(response: Response, readRefusal: RefusalReader): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const refusal = readRefusal(body) ?? { code: `http_${response.status}`, message: '', field: null };
  const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return new ApiError(refusal, response.status, Number.isFinite(retryAfter) ? retryAfter : null);
}

function refusalOf(body: unknown): Refusal | null {
  if (typeof body !== 'object' || body === null || !('code' in body) || typeof body.code !== 'string') return null;
  const { message, field, line } = body as Partial<Refusal>;
  return {
    code: body.code,
    message: typeof message === 'string' ? message : '',
    field: typeof field === 'string' ? field : null,
    ...(line && { line }),
  };
}
