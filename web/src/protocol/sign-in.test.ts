import { describe, expect, it, vi } from 'vitest';
import { asApiError } from './errors.ts';
import { HttpClient } from './http.ts';
import { SignIn } from './sign-in.ts';

function signInThatAnswers(status: number, body: unknown) {
  const fetcher = vi.fn<typeof fetch>(() => Promise.resolve(new Response(JSON.stringify(body), { status })));
  return { signIn: new SignIn(new HttpClient(() => 'en', fetcher)), fetcher };
}

const pending = (id: string) => ({
  status: 401,
  data: { flows: [{ id: 'login' }, { id, is_pending: true }] },
  meta: { is_authenticated: false },
});

describe('SignIn', () => {
  it('takes a 401 with a pending flow as the next step', async () => {
    const { signIn, fetcher } = signInThatAnswers(401, pending('login_by_code'));
    await expect(signIn.requestCode('ana@example.org')).resolves.toBe('login_by_code');
    expect(fetcher.mock.calls[0]?.[0]).toBe('/_allauth/browser/v1/auth/code/request');
    expect(fetcher.mock.calls[0]?.[1]?.body).toBe('{"email":"ana@example.org"}');
  });

  it('sends the invitation only where there is one', async () => {
    const { signIn, fetcher } = signInThatAnswers(401, pending('verify_email'));
    const wish = { email: 'a@b.c', handle: 'ana', name: 'Ana', languages: ['fr'] };
    await expect(signIn.signUp({ ...wish, invitation: null })).resolves.toBe('verify_email');
    await signIn.signUp({ ...wish, invitation: 'code1' });
    expect(fetcher.mock.calls.map(([, init]) => JSON.parse(init?.body as string) as unknown)).toEqual([
      wish,
      { ...wish, invitation: 'code1' },
    ]);
  });

  it('is done when the code was right', async () => {
    const { signIn } = signInThatAnswers(200, { status: 200, data: { user: {} } });
    await expect(signIn.confirmCode(' 123456 ')).resolves.toBe('done');
  });

  it('names the field of the first error', async () => {
    const { signIn } = signInThatAnswers(400, {
      status: 400,
      errors: [{ code: 'incorrect_code', message: 'Incorrect code.', param: 'code' }],
    });
    const error = asApiError(await signIn.confirmCode('1').catch((cause: unknown) => cause));
    expect([error.code, error.field, error.message]).toEqual(['incorrect_code', 'code', 'Incorrect code.']);
  });

  it('takes the 401 after signing out as success', async () => {
    const { signIn } = signInThatAnswers(401, { status: 401, data: { flows: [{ id: 'login' }] } });
    await expect(signIn.signOut()).resolves.toBeUndefined();
  });
});
