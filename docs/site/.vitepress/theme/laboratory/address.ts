import { onBeforeUnmount, onMounted, watch } from 'vue';
import type { Loss } from './losses.js';
import { fromHash, type State, toHash } from './state.js';

/** Browsers refuse more than 100 changes of the address in 30 seconds. */
const PAUSE = 400;

/** Keeps the state and the address alike. Returns a function that writes the address at once. */
export function useAddress(state: State, losses: readonly Loss[]): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const read = (): void => {
    if (location.hash.slice(1) !== toHash(state, losses)) {
      Object.assign(state, fromHash(location.hash, losses));
    }
  };
  const write = (): void => {
    clearTimeout(timer);
    const hash = toHash(state, losses);
    const { pathname, search } = location;
    history.replaceState(history.state, '', `${pathname}${search}${hash && `#${hash}`}`);
  };
  onMounted(() => {
    // The router keeps the place of the page before: it looks for a heading that is called so.
    if (!history.state?.scrollPosition) scrollTo(0, 0);
    read();
    addEventListener('hashchange', read);
    watch(state, () => {
      clearTimeout(timer);
      timer = setTimeout(write, PAUSE);
    });
  });
  onBeforeUnmount(() => {
    clearTimeout(timer);
    removeEventListener('hashchange', read);
  });
  return write;
}
