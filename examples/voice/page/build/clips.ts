import { UserError } from '../../../shared/commandLine.js';
import { listSubjects, mixScenes, type Plan } from '../../scenes.js';
import { Teacher } from '../../teacher.js';
import { decodeRecording, encodeRecording } from '../sound/recording.js';

/** A scene that the page plays. */
export interface Clip {
  readonly title: string;
  readonly file: Uint8Array;
  /** The teacher's probability of speech in each frame, in 255ths. */
  readonly teacher: readonly number[];
}

/** Short scenes in voices and with music that the student has not heard in training. */
const PLAN: Plan = { purpose: 'test', languages: ['it', 'ru'], each: 1, seconds: 12, seed: 22 };

const CHOSEN = [
  { language: 'ru', background: 'taps', title: 'Russian, with taps' },
  { language: 'it', background: 'pink noise', title: 'Italian, in noise' },
  { language: 'it', background: 'music', title: 'Italian, over music' },
] as const;

/** Mixes the clips from Debian's sounds. Without them there are none, and the build says so. */
export async function recordClips(): Promise<readonly Clip[]> {
  try {
    const scenes = [...mixScenes(PLAN)];
    const subjects = listSubjects(PLAN);
    const teacher = await Teacher.open();
    return await Promise.all(
      CHOSEN.map(async ({ language, background, title }) => {
        const index = subjects.findIndex(
          (subject) => subject.language === language && subject.background === background,
        );
        const file = encodeRecording(scenes[index]!.sound);
        // The teacher hears what the visitor hears.
        const [heard] = await teacher.listen([decodeRecording(file)]);
        return { title, file, teacher: Array.from(heard!, (value) => Math.round(255 * value)) };
      }),
    );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.warn(`The page of the voice detector has no clips: ${error.message}`);
    return [];
  }
}
