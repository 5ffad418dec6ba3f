import type { HttpClient } from './http.ts';
import type {
  AccessToken,
  CommandAnswer,
  CommandName,
  Commands,
  DemoPerson,
  Face,
  Invitation,
  InvitationOffer,
  LanguageTag,
  Line,
  MailboxMessage,
  Me,
  MyProfile,
  NewAccessToken,
  PeoplePage,
  PollForMe,
  Profile,
  QuestionForMe,
  Relation,
  Room,
  RoomCard,
  RoomDraft,
  RoomId,
  Shield,
  Ticket,
} from './types.ts';

export interface ProfileChanges {
  handle?: string;
  name?: string;
  bio?: string;
  languages?: LanguageTag[];
}

/** `/api/v1`, one method per request of section 3 of the protocol. */
export class Api {
  readonly http: HttpClient;

  constructor(http: HttpClient) {
    this.http = http;
  }

  me(): Promise<Me> {
    return this.http.json('/api/v1/me');
  }

  changeMe(changes: ProfileChanges): Promise<MyProfile> {
    return this.http.json('/api/v1/me', { method: 'PATCH', json: changes });
  }

  putPicture(image: Blob): Promise<MyProfile> {
    return this.http.json('/api/v1/me/picture', {
      method: 'PUT',
      body: image,
      headers: { 'Content-Type': image.type || 'application/octet-stream' },
      timeoutMs: 60_000,
    });
  }

  async dropPicture(): Promise<void> {
    await this.http.send('/api/v1/me/picture', { method: 'DELETE' });
  }

  profile(handle: string): Promise<Profile> {
    return this.http.json(`/api/v1/people/${encodeURIComponent(handle)}`);
  }

  hallway(language: LanguageTag | null): Promise<{ rooms: RoomCard[] }> {
    return this.http.json(`/api/v1/hallway${language === null ? '' : `?language=${encodeURIComponent(language)}`}`);
  }

  openRoom(draft: RoomDraft): Promise<Room> {
    return this.http.json('/api/v1/rooms', { method: 'POST', json: draft });
  }

  room(id: RoomId): Promise<Room> {
    return this.http.json(`/api/v1/rooms/${encodeURIComponent(id)}`);
  }

  /** One's place in line for a full room; asking keeps it. */
  line(id: RoomId): Promise<Line> {
    return this.http.json(`/api/v1/rooms/${encodeURIComponent(id)}/line`);
  }

  async leaveLine(id: RoomId): Promise<void> {
    await this.http.send(`/api/v1/rooms/${encodeURIComponent(id)}/line`, { method: 'DELETE' });
  }

  /** Those that are not closed, most wanted first. */
  questions(id: RoomId): Promise<{ questions: QuestionForMe[] }> {
    return this.http.json(`/api/v1/rooms/${encodeURIComponent(id)}/questions`);
  }

  poll(id: RoomId): Promise<PollForMe> {
    return this.http.json(`/api/v1/rooms/${encodeURIComponent(id)}/poll`);
  }

  relation(handle: string): Promise<Relation> {
    return this.http.json(`/api/v1/people/${encodeURIComponent(handle)}/relation`);
  }

  /** Done whether or not it was so before. */
  async setRelation(handle: string, relation: 'follow' | 'block' | 'ping-mute', isSo: boolean): Promise<void> {
    await this.http.send(`/api/v1/people/${encodeURIComponent(handle)}/${relation}`, { method: isSo ? 'PUT' : 'DELETE' });
  }

  /** Newest first, a page at a time. after: `next` of the page before. */
  peopleAround(handle: string, which: 'followers' | 'following', after: string | null = null): Promise<PeoplePage> {
    const query = after === null ? '' : `?after=${encodeURIComponent(after)}`;
    return this.http.json(`/api/v1/people/${encodeURIComponent(handle)}/${which}${query}`);
  }

  blocks(): Promise<{ people: Face[] }> {
    return this.http.json('/api/v1/me/blocks');
  }

  pingMutes(): Promise<{ people: Face[] }> {
    return this.http.json('/api/v1/me/ping-mutes');
  }

  shield(): Promise<Shield> {
    return this.http.json('/api/v1/me/shield');
  }

  contestShield(text: string): Promise<Shield> {
    return this.http.json('/api/v1/me/shield', { method: 'PUT', json: { text } });
  }

  /** key: the same for every retry of one wish, so that it happens once. */
  command<N extends CommandName>(room: RoomId, name: N, data: Commands[N], key: string): Promise<CommandAnswer> {
    return this.http.json(`/api/v1/rooms/${encodeURIComponent(room)}/${name}`, {
      method: 'POST',
      json: data,
      headers: { 'Idempotency-Key': key },
    });
  }

  ticket(): Promise<Ticket> {
    return this.http.json('/api/v1/realtime/ticket', { method: 'POST', json: {} });
  }

  invitations(): Promise<{ invitations: Invitation[]; invitations_left: number }> {
    return this.http.json('/api/v1/invitations');
  }

  makeInvitation(email: string | null): Promise<Invitation> {
    return this.http.json('/api/v1/invitations', { method: 'POST', json: email === null ? {} : { email } });
  }

  invitation(code: string): Promise<InvitationOffer> {
    return this.http.json(`/api/v1/invitations/${encodeURIComponent(code)}`);
  }

  async joinWaitlist(email: string, handle: string): Promise<void> {
    await this.http.send('/api/v1/waitlist', { method: 'POST', json: { email, handle } });
  }

  tokens(): Promise<{ tokens: AccessToken[] }> {
    return this.http.json('/api/v1/tokens');
  }

  makeToken(name: string): Promise<NewAccessToken> {
    return this.http.json('/api/v1/tokens', { method: 'POST', json: { name } });
  }

  async dropToken(id: string): Promise<void> {
    await this.http.send(`/api/v1/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /** 404 on a production installation. */
  mailbox(recipient: string | null): Promise<{ messages: MailboxMessage[] }> {
    return this.http.json(`/api/v1/development/mailbox${recipient === null ? '' : `?recipient=${encodeURIComponent(recipient)}`}`);
  }

  demoPeople(): Promise<{ people: DemoPerson[] }> {
    return this.http.json('/api/v1/demo');
  }

  /** handle: one of the demo's people; null for somebody new. */
  async demoSignIn(handle: string | null): Promise<void> {
    await this.http.send('/api/v1/demo/sign-in', { method: 'POST', json: handle === null ? {} : { handle } });
  }
}
