import { onBeforeUnmount, type Ref, ref, watch } from 'vue';

/** Changes that follow each other sooner are announced once. */
const PAUSE = 1000;

/** A text for screen readers that changes when its source has come to rest. */
export function useAnnouncement(source: () => string): Readonly<Ref<string>> {
  const announced = ref('');
  let timer: ReturnType<typeof setTimeout> | undefined;
  watch(source, (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      announced.value = text;
    }, PAUSE);
  });
  onBeforeUnmount(() => clearTimeout(timer));
  return announced;
}
