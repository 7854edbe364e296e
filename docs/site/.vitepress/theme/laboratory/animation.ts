import { onBeforeUnmount, onMounted, type Ref, ref, watch } from 'vue';

/** An animation that a visitor starts and stops. */
export interface Animation {
  readonly isRunning: Readonly<Ref<boolean>>;
  /** Whether the visitor asks for less motion. That ends the animation. */
  readonly isReduced: Readonly<Ref<boolean>>;
  readonly start: () => void;
  readonly stop: () => void;
}

/** Calls `step` before each frame until it returns false. */
export function useAnimation(step: () => boolean): Animation {
  const isRunning = ref(false);
  let frame = 0;
  const run = (): void => {
    if (step()) frame = requestAnimationFrame(run);
    else isRunning.value = false;
  };
  const start = (): void => {
    isRunning.value = true;
    frame = requestAnimationFrame(run);
  };
  const stop = (): void => {
    isRunning.value = false;
    cancelAnimationFrame(frame);
  };
  const isReduced = useReducedMotion();
  watch(isReduced, stop);
  onBeforeUnmount(stop);
  return { isRunning, isReduced, start, stop };
}

function useReducedMotion(): Readonly<Ref<boolean>> {
  const isReduced = ref(false);
  onMounted(() => {
    const query = matchMedia('(prefers-reduced-motion: reduce)');
    const read = (): void => {
      isReduced.value = query.matches;
    };
    read();
    query.addEventListener('change', read);
    onBeforeUnmount(() => query.removeEventListener('change', read));
  });
  return isReduced;
}
