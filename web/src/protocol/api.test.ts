import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Api } from './api.ts';
import { HttpClient } from './http.ts';

let fetcher: ReturnType<typeof vi.fn<typeof fetch>>;
let api: Api;

beforeEach(() => {
  fetcher = vi.fn<typeof fetch>(() => Promise.resolve(new Response('{}')));
  api = new Api(new HttpClient(() => 'en', fetcher));
});

const asked = () => fetcher.mock.calls.map(([path, init]) => `${init?.method} ${path as string}`);

describe('what one is to somebody', () => {
  it('is put and deleted, each by its own name', async () => {
    await api.setRelation('ana', 'follow', true);
    await api.setRelation('ana', 'block', false);
    await api.setRelation('ana', 'ping-mute', true);
    expect(asked()).toEqual(['PUT /api/v1/people/ana/follow', 'DELETE /api/v1/people/ana/block', 'PUT /api/v1/people/ana/ping-mute']);
  });

  it('comes in pages', async () => {
    await api.peopleAround('ana', 'followers');
    await api.peopleAround('ana', 'following', 'page/2');
    expect(asked()).toEqual(['GET /api/v1/people/ana/followers', 'GET /api/v1/people/ana/following?after=page%2F2']);
  });
});

it('gives a place in line up where it asks for it', async () => {
  await api.line('r1');
  await api.leaveLine('r1');
  expect(asked()).toEqual(['GET /api/v1/rooms/r1/line', 'DELETE /api/v1/rooms/r1/line']);
});
