// Messages between the page and the worker in which the teacher listens.

export type Request =
  | { readonly kind: 'open'; readonly teacher: string }
  | {
      readonly kind: 'listen';
      readonly id: number;
      /** Whole frames. */
      readonly sound: Float32Array;
      /** Whether the sound begins here; otherwise it goes on from the request before. */
      readonly first: boolean;
    };

export type Response =
  | { readonly kind: 'opened' }
  | {
      readonly kind: 'heard';
      readonly id: number;
      /** The probability of speech in each frame. */
      readonly probabilities: Float32Array;
      /** Time that it took. */
      readonly milliseconds: number;
    }
  | { readonly kind: 'failed'; readonly reason: string };
