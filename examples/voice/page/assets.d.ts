/** Files that the build makes; see build/assets.ts. */
declare module 'virtual:assets' {
  interface Asset {
    readonly url: string;
    readonly bytes: number;
  }

  interface RecordedClip {
    readonly title: string;
    readonly url: string;
    /** The teacher's probability of speech in each frame, in 255ths. */
    readonly teacher: readonly number[];
  }

  /** Empty if the sounds were not installed when the page was built. */
  export const clips: readonly RecordedClip[];
  export const weights: Asset;
  /** The code of the AudioWorklet. */
  export const worklet: Asset;
  export const teacher: Asset;
  /** The measured results. */
  export const summary: import('./build/summary.js').Summary;
  /** Bytes of the WebAssembly that runs the teacher. */
  export const runtimeBytes: number;
}
