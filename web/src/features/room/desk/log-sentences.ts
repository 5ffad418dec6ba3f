import { formatList, t } from '../../../i18n/index.svelte.ts';
import type { MessageKey } from '../../../i18n/messages.ts';
import type { LogEntry } from '../../../protocol/types.ts';

/** Whose sentence names only who did it. */
const BY = [
  'invite_next',
  'invite_several',
  'clear_hands',
  'mute_all',
  'end_room',
  'confirm_request',
  'refuse_request',
  'pin_link',
  'unpin_link',
  'open_poll',
  'close_poll',
] as const;

/** Whose sentence names both. */
const BY_AND_TARGET = [
  'invite_to_stage',
  'move_to_audience',
  'mute_speaker',
  'hold_mute',
  'release_mute',
  'remove_person',
  'undo_removal',
  'invite_in',
  'silence_person',
  'unsilence_person',
  'appoint_moderator',
  'delete_message',
  'take_question',
  'close_question',
] as const;

const SETTINGS = {
  title: 'setting.title',
  topic: 'setting.topic',
  language: 'setting.language',
  visibility: 'setting.visibility',
  locked: 'setting.locked',
  capacity: 'setting.capacity',
  hand_policy: 'setting.handPolicy',
  stage_locked: 'setting.stageLocked',
  fair_floor: 'setting.fairFloor',
  turn_secs: 'setting.turn',
  chat: 'conversation.chat',
  questions: 'conversation.questions',
  links: 'setting.links',
  reactions: 'setting.reactions',
  polls: 'setting.polls',
  slow_mode_secs: 'setting.slowMode',
} as const satisfies Record<string, MessageKey>;

/** One line of the log: who did what to whom. What a newer server logs is shown by its name rather than hidden. */
export function logSentence({ action, by, target, data }: LogEntry): string {
  const who = by?.name ?? t('log.salon');
  const whom = target?.name ?? t('log.somebody');
  const plain = BY.find((name) => name === action);
  if (plain) return t(`log.${plain}`, who);
  const aimed = BY_AND_TARGET.find((name) => name === action);
  if (aimed) return t(`log.${aimed}`, who, whom);
  switch (action) {
    case 'revoke_moderator':
      return by?.id === target?.id ? t('log.gave_up', who) : t('log.revoke_moderator', who, whom);
    case 'name_deputy':
      return target ? t('log.name_deputy', who, whom) : t('log.drop_deputy', who);
    case 'succession':
      return target ? t('log.succession', whom) : t('log.host_away');
    case 'edit_room':
      return t('log.edit_room', who, formatList(Object.keys(data).map(settingName)));
    default:
      return t('log.other', who, action);
  }
}

function settingName(name: string): string {
  return name in SETTINGS ? t(SETTINGS[name as keyof typeof SETTINGS]) : name;
}
