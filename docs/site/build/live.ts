/** A page on which the library runs. */
interface LivePage {
  readonly title: string;
  /** Below the site's root. */
  readonly path: string;
  /** What a visitor does there. */
  readonly about: string;
}

/** The live pages, in the order of the navigation. */
export const LIVE: readonly LivePage[] = [
  {
    title: 'Race',
    path: 'race/index.html',
    about: 'draw a digit while two students learn to read it.',
  },
  {
    title: 'Loss laboratory',
    path: 'laboratory.html',
    about: 'drag two distributions, and watch every loss and its gradient.',
  },
  {
    title: 'Benchmark',
    path: 'benchmark.html',
    about: 'measure this library and two others on your machine.',
  },
  {
    title: 'Voice',
    path: 'voice/index.html',
    about: 'speak, and watch 12 kB copy a voice detector of 2.3 MB.',
  },
];
