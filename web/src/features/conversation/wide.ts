import { MediaQuery } from 'svelte/reactivity';

/** Whether the conversation has a column of its own beside the stage; below that it is a sheet over the page. */
export function besideTheStage(): MediaQuery {
  return new MediaQuery('(min-width: 80rem)');
}
