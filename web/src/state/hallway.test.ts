import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { roomCard } from '../../tests/fakes/people.ts';
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
