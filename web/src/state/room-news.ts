/**
 * What to tell somebody that did not happen by their own hand: in words, and how loudly.
 *
 * Pure, so that each sentence has its test; `RoomConnection` passes on what comes out.
 */

import { t } from '../i18n/index.svelte.ts';
import type { Face, MyPlace, PersonId, PlaceChanged, RoomState, StageMember, StageRole, StreamEvent } from '../protocol/types.ts';

export interface News {
  text: string;
  /** Interrupts what a screen reader says. */
  isUrgent: boolean;
  /** Passes by on the screen as well; what shows in the room anyway need not. */
  isShown: boolean;
}

const loud = (text: string): News => ({ text, isUrgent: true, isShown: true });
const said = (text: string): News => ({ text, isUrgent: true, isShown: false });
const soft = (text: string): News => ({ text, isUrgent: false, isShown: false });

/** Of one's own place. before: what it was; null: none yet. */
export function newsOfPlace({ place, cause, by, reason }: PlaceChanged, before: MyPlace | null): News[] {
  if (place === null) return [];
  const news: News[] = [];
  const name = by?.name ?? t('role.aModerator');
  if (by && place.invited_by && !before?.invited_by && !place.on_stage) news.push(said(t('announce.invited', place.invited_by.name)));
  if (place.on_stage && before?.on_stage === false) news.push(said(t('announce.onStage')));
  news.push(...newsOfCause(cause, name, place, reason, before));
  if (before) news.push(...newsOfRole(place, before, cause, by));
  return news;
}

function newsOfCause(cause: string, name: string, place: MyPlace, reason: string | null, before: MyPlace | null): News[] {
  switch (cause) {
    case 'mute_speaker':
    case 'mute_all':
      return [loud(t('room.mutedBy', name))];
    case 'hold_mute':
      return [loud(t('held.told', name, place.held?.reason ?? reason ?? ''))];
    case 'release_mute':
      return [loud(t('held.released', name))];
    case 'move_to_audience':
      return [loud(t('room.movedBy', name))];
    case 'silence_person':
      return [loud(t('room.silencedBy', name))];
    case 'unsilence_person':
      return [loud(t('room.unsilencedBy', name))];
    case 'clear_hands':
      return before?.hand_raised_at || before?.invited_by ? [loud(t('hands.clearedBy', name))] : [];
    default:
      return [];
  }
}

function newsOfRole(place: MyPlace, before: MyPlace, cause: string, by: Face | null): News[] {
  const [was, is] = [moderates(before.role), moderates(place.role)];
  if (place.role === 'host' && before.role !== 'host') return [loud(t('role.youHost'))];
  if (before.role === 'host' && place.role === 'moderator') return [loud(t('role.hostIsBack'))];
  if (is && !was) return [loud(by ? t('role.madeModeratorBy', by.name) : t('role.madeModerator'))];
  if (was && !is && cause === 'revoke_moderator' && by) return [loud(t('role.revokedBy', by.name))];
  return [];
}

/** Of the room, for everybody in it. */
export function newsOfRoom({ kind, data }: StreamEvent, before: RoomState, me: PersonId | null): News[] {
  switch (kind) {
    case 'stage_joined': {
      const { person } = data as StageMember;
      return person.id === me ? [] : [soft(t('announce.stageJoined', person.name))];
    }
    case 'role_changed': {
      const { person, role } = data as { person: PersonId; role: StageRole };
      const member = before.stage.find((other) => other.person.id === person);
      return member && person !== me && member.role !== role ? [soft(roleSentence(member, role))] : [];
    }
    case 'room_changed':
      return newsOfSettings(data as Partial<RoomState>, before, me);
    default:
      return [];
  }
}

function roleSentence({ person, role: before }: StageMember, role: StageRole): string {
  if (role === 'host') return t('announce.host', person.name);
  if (role === 'moderator') return before === 'host' ? t('announce.noLongerHost', person.name) : t('announce.moderator', person.name);
  return t('announce.noLongerModerator', person.name);
}

function newsOfSettings(changed: Partial<RoomState>, before: RoomState, me: PersonId | null): News[] {
  const news: News[] = [];
  if (changed.grace_ends_at && !before.grace_ends_at) news.push(soft(t('succession.title')));
  if (changed.host_away === true && !before.host_away) news.push(soft(t('hostAway.title')));
  if (changed.host_away === false && before.host_away) news.push(soft(t('hostAway.over')));
  if (changed.stage_locked === true && !before.stage_locked && !changed.host_away) news.push(soft(t('stageLock.title')));
  if (changed.deputy && changed.deputy === me && before.deputy !== me) news.push(loud(t('role.youDeputy')));
  return news;
}

function moderates(role: MyPlace['role']): boolean {
  return role === 'host' || role === 'moderator';
}
