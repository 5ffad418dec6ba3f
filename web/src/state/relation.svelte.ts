import type { Api } from '../protocol/api.ts';
import type { Face, Relation } from '../protocol/types.ts';
import type { Blocks } from './blocks.svelte.ts';

/** How one stands to one person, with the counts that everybody sees. */
export class PersonRelation {
  relation: Relation | null = $state.raw(null);
  #person: Face;
  #api: Api;
  #blocks: Blocks;

  constructor(person: Face, api: Api, blocks: Blocks) {
    this.#person = person;
    this.#api = api;
    this.#blocks = blocks;
  }

  async load(): Promise<void> {
    this.relation = await this.#api.relation(this.#person.handle);
  }

  async follow(isSo: boolean): Promise<void> {
    await this.#api.setRelation(this.#person.handle, 'follow', isSo);
    const { relation } = this;
    if (relation && relation.i_follow !== isSo)
      this.relation = { ...relation, i_follow: isSo, followers: relation.followers + (isSo ? 1 : -1) };
  }

  /** Whatever blocking ends besides, such as following, the server says. */
  async block(isSo: boolean): Promise<void> {
    await this.#blocks.set(this.#person, isSo);
    if (this.relation) this.relation = { ...this.relation, i_block: isSo };
    await this.load();
  }

  async mutePings(isSo: boolean): Promise<void> {
    await this.#api.setRelation(this.#person.handle, 'ping-mute', isSo);
    if (this.relation) this.relation = { ...this.relation, pings_muted: isSo };
  }
}
