import { ApiError } from './errors.ts';
import type { HttpClient } from './http.ts';
import type { LanguageTag, Refusal } from './types.ts';

/** django-allauth's headless API; its specification is linked from section 2 of the protocol. */
const BASE = '/_allauth/browser/v1';

/** What comes next: nothing, or a code from the mail, for a person who exists or for one who signs up. */
export type Step = 'done' | 'login_by_code' | 'verify_email';

export interface SignUp {
  email: string;
  handle: string;
  name: string;
  languages: LanguageTag[];
  invitation: string | null;
}

export interface Passkey {
  id: number;
  name: string;
  created_at: number;
  last_used_at: number | null;
}

interface AllauthAnswer {
  data?: { flows?: { id: string; is_pending?: boolean }[] };
  errors?: { code: string; message: string; param?: string }[];
}

export class SignIn {
  #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  requestCode(email: string): Promise<Step> {
    return this.#step('/auth/code/request', { email });
  }

  confirmCode(code: string): Promise<Step> {
    return this.#step('/auth/code/confirm', { code: code.trim() });
  }

  signUp(wish: SignUp): Promise<Step> {
    const { invitation, ...fields } = wish;
    return this.#step('/auth/signup', invitation === null ? fields : { ...fields, invitation });
  }

  verifyEmail(code: string): Promise<Step> {
    return this.#step('/auth/email/verify', { key: code.trim() });
  }

  async withPasskey(): Promise<Step> {
    const options = await this.#http.json<{ data: { request_options: { publicKey: PublicKeyCredentialRequestOptionsJSON } } }>(
      `${BASE}/auth/webauthn/login`,
      {},
      refusalOf,
    );
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.data.request_options.publicKey);
    const credential = await navigator.credentials.get({ publicKey });
    return this.#step('/auth/webauthn/login', { credential: (credential as PublicKeyCredential).toJSON() });
  }

  async addPasskey(name: string): Promise<void> {
    const options = await this.#http.json<{ data: { creation_options: { publicKey: PublicKeyCredentialCreationOptionsJSON } } }>(
      `${BASE}/account/authenticators/webauthn?passwordless`,
      {},
      refusalOf,
    );
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.data.creation_options.publicKey);
    const credential = await navigator.credentials.create({ publicKey });
    await this.#http.send(
      `${BASE}/account/authenticators/webauthn`,
      { method: 'POST', json: { name, credential: (credential as PublicKeyCredential).toJSON() } },
      refusalOf,
    );
  }

  async passkeys(): Promise<Passkey[]> {
    const answer = await this.#http.json<{ data: (Passkey & { type: string })[] }>(`${BASE}/account/authenticators`, {}, refusalOf);
    return answer.data.filter((authenticator) => authenticator.type === 'webauthn');
  }

  async dropPasskey(id: number): Promise<void> {
    await this.#http.send(`${BASE}/account/authenticators/webauthn`, { method: 'DELETE', json: { authenticators: [id] } }, refusalOf);
  }

  async signOut(): Promise<void> {
    await this.#step('/auth/session', null, 'DELETE');
  }

  /** A 401 here is no failure: it says which step is pending, or, after signing out, that nobody is signed in. */
  async #step(path: string, json: object | null, method: 'POST' | 'DELETE' = 'POST'): Promise<Step> {
    try {
      await this.#http.send(BASE + path, json === null ? { method } : { method, json }, refusalOf);
      return 'done';
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      if (error.code === 'login_by_code' || error.code === 'verify_email') return error.code;
      if (method === 'DELETE') return 'done';
      throw error;
    }
  }
}

export function canUsePasskeys(): boolean {
  return 'PublicKeyCredential' in window && 'parseRequestOptionsFromJSON' in PublicKeyCredential;
}

/** allauth's two shapes of refusal as ours: the pending flow's name, or the first error with its field. */
export function refusalOf(body: unknown): Refusal | null {
  if (typeof body !== 'object' || body === null) return null;
  const { data, errors, code, message } = body as AllauthAnswer & Partial<Refusal>;
  const first = errors?.[0];
  if (first) return { code: first.code, message: first.message, field: first.param ?? null };
  const pending = data?.flows?.find((flow) => flow.is_pending);
  if (pending) return { code: pending.id, message: '', field: null };
  if (data?.flows) return { code: 'sign_in_required', message: '', field: null };
  return typeof code === 'string' ? { code, message: message ?? '', field: null } : null;
}
