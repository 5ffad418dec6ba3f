import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ana, bruno, cleo, roomCard } from '../../tests/fakes/people.ts';
import { Stage } from '../../tests/fakes/salon.ts';

let stage: Stage;

beforeEach(async () => {
  stage = new Stage(Stage.person(bruno));
  await stage.enter();
});

afterEach(() => stage.salon.close());

function call(by = ana, letter = 'q', kind = 'pinged'): void {
  stage.event('person/me', kind, { room: roomCard({ id: letter.repeat(26), title: `Room ${letter}` }), by });
}

const current = () => stage.salon.calls.current && [stage.salon.calls.current.by.name, stage.salon.calls.current.room.title];

describe('calls', () => {
  it('are shown one at a time, in order, and said once', () => {
    call(ana, 'q');
    call(cleo, 's', 'invited_in');
    call(ana, 'q');
    expect(current()).toEqual(['Ana', 'Room q']);
    if (stage.salon.calls.current) stage.salon.calls.dismiss(stage.salon.calls.current);
    expect(current()).toEqual(['Cleo', 'Room s']);
    expect(stage.salon.announcer.polite.trim()).toBe('Cleo calls you into “Room s”.');
    if (stage.salon.calls.current) stage.salon.calls.dismiss(stage.salon.calls.current);
    expect(current()).toBeNull();
  });

  it('of somebody whose calls one does not want go, with those that waited', async () => {
    stage.answers.set('PUT /api/v1/people/ana/ping-mute', 204);
    call(ana, 'q');
    call(cleo, 's');
    call(ana, 't');
    if (stage.salon.calls.current) await stage.salon.calls.mute(stage.salon.calls.current);
    expect(stage.asked).toEqual(['PUT /api/v1/people/ana/ping-mute']);
    expect(current()).toEqual(['Cleo', 'Room s']);
    if (stage.salon.calls.current) stage.salon.calls.dismiss(stage.salon.calls.current);
    expect(current()).toBeNull();
  });

  it('stay where the wish to hear no more of them failed', async () => {
    stage.answers.set('PUT /api/v1/people/ana/ping-mute', 503);
    call();
    if (stage.salon.calls.current) await expect(stage.salon.calls.mute(stage.salon.calls.current)).rejects.toMatchObject({ status: 503 });
    expect(current()).toEqual(['Ana', 'Room q']);
  });

  it('are never more than five', () => {
    for (const letter of 'abcdefgh') call(ana, letter);
    const titles: string[] = [];
    for (let { current: one } = stage.salon.calls; one; one = stage.salon.calls.current) {
      titles.push(one.room.title);
      stage.salon.calls.dismiss(one);
    }
    expect(titles).toEqual(['Room d', 'Room e', 'Room f', 'Room g', 'Room h']);
  });
});
