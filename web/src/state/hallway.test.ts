import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bruno, cleo, roomCard } from '../../tests/fakes/people.ts';
import { settle, Stage } from '../../tests/fakes/salon.ts';
import { FakeSocket } from '../../tests/fakes/socket.ts';

let stage: Stage;
let end: () => void;

beforeEach(async () => {
  stage = new Stage(null);
  await stage.salon.session.load();
  await settle();
  FakeSocket.latest.welcome();
  end = stage.salon.hallway.look();
  stage.answerWatches();
  await settle();
});

afterEach(() => stage.salon.close());

const titles = () => stage.salon.hallway.rooms.map(({ title }) => title);

describe('the hallway', () => {
  it('puts rooms that open while one looks before the ranked ones', () => {
    stage.event('hallway', 'room_listed', roomCard({ id: 'n'.repeat(26), title: 'New' }));
    expect(titles()).toEqual(['New', 'Evening talk']);
    stage.event('hallway', 'room_unlisted', { id: 'n'.repeat(26) });
    expect(titles()).toEqual(['Evening talk']);
  });

  it('shows only one language where one was chosen', () => {
    stage.event('hallway', 'room_listed', roomCard({ id: 'f'.repeat(26), title: 'Soirée', language: 'fr' }));
    expect(stage.salon.hallway.languages).toEqual(['en', 'fr']);
    stage.salon.hallway.language = 'fr';
    expect(titles()).toEqual(['Soirée']);
  });

  it('takes its counts from presence', () => {
    FakeSocket.latest.receive({ type: 'presence', stream: 'hallway', rooms: { ['r'.repeat(26)]: 1204 } });
    expect(stage.salon.hallway.rooms.map(({ audience }) => audience)).toEqual([1204]);
  });

  it('is watched once for two viewers, until the last goes', () => {
    const endSecond = stage.salon.hallway.look();
    end();
    expect(FakeSocket.latest.all('unwatch')).toEqual([]);
    endSecond();
    expect(FakeSocket.latest.all('unwatch').map(({ stream }) => stream)).toEqual(['hallway']);
    expect(FakeSocket.latest.all('watch')).toHaveLength(1);
  });
});

const closed = roomCard({ id: 'c'.repeat(26), title: 'Green room', visibility: 'closed' });

describe('rooms that are not for everybody', () => {
  it('are in no stream, and stay through its snapshots and events', async () => {
    stage.answers.set('GET /api/v1/hallway', { rooms: [closed, roomCard()] });
    await stage.salon.hallway.rank();
    expect(titles()).toEqual(['Green room', 'Evening talk']);
    stage.event('hallway', 'room_listed', roomCard({ title: 'Later talk' }));
    expect(titles()).toEqual(['Green room', 'Later talk']);
    expect(stage.salon.hallway.card(closed.id)?.title).toBe('Green room');
  });

  it('are there once when they were opened wider', async () => {
    stage.answers.set('GET /api/v1/hallway', { rooms: [closed] });
    await stage.salon.hallway.rank();
    stage.event('hallway', 'room_listed', { ...closed, visibility: 'open' });
    expect(stage.salon.hallway.all.filter(({ id }) => id === closed.id).map(({ visibility }) => visibility)).toEqual(['open']);
  });

  it('are asked for again every half minute while somebody looks, and when the window is looked at again', async () => {
    vi.useFakeTimers();
    stage.answers.set('GET /api/v1/hallway', { rooms: [] });
    const asked = () => stage.asked.filter((question) => question === 'GET /api/v1/hallway').length;
    window.dispatchEvent(new Event('focus'));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked()).toBe(1);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(asked()).toBe(2);
    end();
    window.dispatchEvent(new Event('focus'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked()).toBe(2);
  });
});

describe('a room that one was removed from', () => {
  it('is listed for everybody else, and hidden from the next ranking on', async () => {
    const shut = roomCard({ id: 's'.repeat(26), title: 'Not for us' });
    stage.event('hallway', 'room_listed', shut);
    expect(titles()).toEqual(['Not for us', 'Evening talk']);
    stage.answers.set('GET /api/v1/hallway', { rooms: [roomCard()] });
    await stage.salon.hallway.rank();
    expect(titles()).toEqual(['Evening talk']);
    stage.event('hallway', 'room_listed', { ...shut, title: 'Still not for us' });
    expect(titles()).toEqual(['Evening talk']);
    stage.answers.set('GET /api/v1/hallway', { rooms: [shut, roomCard()] });
    await stage.salon.hallway.rank();
    expect(titles()).toEqual(['Still not for us', 'Evening talk']);
  });
});

describe('rooms with somebody one has blocked', () => {
  const withCleo = roomCard({ id: 'b'.repeat(26), title: 'Cleo’s', speakers: [cleo] });
  const folded = () => stage.salon.hallway.all.filter((room) => room.folded).map(({ title }) => title);

  async function lookAs(blocked: (typeof cleo)[]): Promise<void> {
    stage.salon.close();
    stage = new Stage(Stage.person(bruno));
    stage.answers.set('GET /api/v1/me/blocks', { people: blocked });
    stage.answers.set('PUT /api/v1/people/cleo/block', 204);
    stage.answers.set('DELETE /api/v1/people/cleo/block', 204);
    await stage.enter();
    end = stage.salon.hallway.look();
    stage.answerWatches();
    await settle();
  }

  it('are folded, be they ranked or announced since', async () => {
    await lookAs([cleo]);
    stage.event('hallway', 'room_listed', withCleo);
    expect(folded()).toEqual(['Cleo’s']);
    stage.event('hallway', 'room_listed', { ...withCleo, speakers: [bruno] });
    expect(folded()).toEqual([]);
    stage.answers.set('GET /api/v1/hallway', { rooms: [roomCard({ folded: true })] });
    await stage.salon.hallway.rank();
    expect(folded()).toEqual(['Evening talk']);
  });

  it('fold and unfold as one blocks and unblocks', async () => {
    await lookAs([]);
    stage.event('hallway', 'room_listed', withCleo);
    expect(folded()).toEqual([]);
    await stage.salon.blocks.set(cleo, true);
    expect(folded()).toEqual(['Cleo’s']);
    await stage.salon.blocks.set(cleo, false);
    expect(folded()).toEqual([]);
  });
});
