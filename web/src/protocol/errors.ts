import type { Line, Refusal } from './types.ts';

/**
 * Whether asking again can help.
 *
 * - `later`: nothing was learnt (no network, a timeout, 429, 503): keep what one has and ask again.
 * - `gone`: the thing is not there, or not for us (404, 410).
 * - `never`: the server understood and refused.
 */
export type Retry = 'later' | 'gone' | 'never';

/** The one error of every request, over HTTP or WebSocket. `code` is stable, `message` is safe to show. */
export class ApiError extends Error {
  readonly code: string;
  readonly field: string | null;
  readonly status: number;
  readonly retry: Retry;
  /** What the server asked us to wait, from `Retry-After`. */
  readonly retryAfterSecs: number | null;
  /** With `room_full`: one's place in line. */
  readonly line: Line | null;

  constructor(refusal: Refusal, status: number, retryAfterSecs: number | null = null) {
    super(refusal.message);
    this.name = 'ApiError';
    this.code = refusal.code;
    this.field = refusal.field;
    this.status = status;
    this.retry = retryOf(status);
    this.retryAfterSecs = retryAfterSecs;
    this.line = refusal.line ?? null;
  }

  /** No answer at all: the network is away, or nobody answered in time. */
  static unreachable(): ApiError {
    return new ApiError({ code: 'unreachable', message: '', field: null }, 0);
  }
}

function retryOf(status: number): Retry {
  if (status === 404 || status === 410) return 'gone';
  if (status === 0 || status === 408 || status === 429 || status >= 500) return 'later';
  return 'never';
}

const GONE_CODES = new Set(['not_found', 'room_ended']);
const LATER_CODES = new Set(['too_many_requests', 'slow_mode', 'media_unavailable', 'message_undelivered', 'starting']);

/** An error frame of the WebSocket, which carries a code but no status. */
export function errorFromFrame(refusal: Refusal): ApiError {
  const status = GONE_CODES.has(refusal.code) ? (refusal.code === 'not_found' ? 404 : 410) : LATER_CODES.has(refusal.code) ? 503 : 400;
  return new ApiError(refusal, status);
}

export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : ApiError.unreachable();
}
