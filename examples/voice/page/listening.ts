import { clips } from 'virtual:assets';
import { type Signal, signal } from '@preact/signals';
import { listenTo } from '../detector/detector.js';
import { FRAME, FRAME_SECONDS } from '../detector/features.js';
import type { Student } from '../detector/layout.js';
import { download } from './sound/download.js';
import { type Heard, listen, Refusal } from './sound/microphone.js';
import { decodeRecording } from './sound/recording.js';
import { loadStudent, measure } from './sound/student.js';
import { type Answer, Teacher } from './teacher/teacher.js';
import { emptyTrace, loudnessOf, type Trace } from './trace.js';

/** Frames of the microphone that are shown, 10 s. */
const SHOWN = Math.round(10 / FRAME_SECONDS);

export type Status = 'still' | 'playing' | 'asking' | 'listening';
export type TeacherStatus = 'absent' | 'loading' | 'ready' | 'failed';

/** The state of the page: the sound that plays, its source, and the models that listen. */
export class Listening {
  /** The number of the clip that is shown, or the microphone. */
  readonly source: Signal<number | 'microphone'> = signal(clips.length > 0 ? 0 : 'microphone');
  readonly trace: Signal<Trace> = signal(emptyTrace(SHOWN));
  /** The frame whose probabilities the meters show. */
  readonly place: Signal<number> = signal(0);
  readonly status: Signal<Status> = signal('still');
  /** Why the last wish could not be met. */
  readonly failure: Signal<string | undefined> = signal(undefined);
  readonly teacherStatus: Signal<TeacherStatus> = signal('absent');
  /** Milliseconds a frame, as measured in this browser. */
  readonly times: Record<'student' | 'teacher', Signal<number | undefined>> = {
    student: signal(undefined),
    teacher: signal(undefined),
  };

  /** The clip that was chosen last. */
  #clip = 0;
  #student: Promise<Student> | undefined;
  #teacher: Teacher | undefined;
  #audio: HTMLAudioElement | undefined;
  #sound: Float32Array | undefined;
  /** Ends the use of the microphone, or the wish for it. */
  #microphone = new AbortController();
  /** Frames of the microphone so far. */
  #heard = 0;
  /** Whether the teacher has heard the frame before the next one. */
  #follows = false;

  /** Loads the student and the first clip. */
  async start(): Promise<void> {
    this.#student = loadStudent();
    if (clips.length > 0) await this.choose(0);
    try {
      this.times.student.value = measure(await this.#student);
    } catch (error) {
      this.#fail('The student could not be loaded', error);
    }
  }

  #fail(what: string, error: unknown): void {
    this.failure.value = `${what} (${error instanceof Error ? error.message : String(error)}).`;
  }

  /** Shows a clip. */
  async choose(index: number): Promise<void> {
    try {
      await this.#show(index);
    } catch (error) {
      if (this.source.peek() === index) this.#fail('The clip could not be loaded', error);
    }
  }

  /** Shows a clip, of which the student hears all at once. */
  async #show(index: number): Promise<void> {
    this.stop();
    this.source.value = index;
    this.#clip = index;
    this.failure.value = undefined;
    const clip = clips[index]!;
    this.#sound = undefined;
    this.trace.value = emptyTrace(clip.teacher.length);
    this.place.value = 0;
    this.#audio = new Audio(clip.url);
    this.#audio.onended = () => this.pause();
    const sound = decodeRecording(await download(clip.url));
    const student = listenTo(sound, await this.#student!);
    if (this.source.peek() !== index) return; // another one was chosen meanwhile
    this.#sound = sound;
    this.trace.value = {
      student,
      teacher: Float32Array.from(student, (_, frame) => clip.teacher[frame]! / 255),
      loudness: student.map((_, frame) =>
        loudnessOf(sound.subarray(frame * FRAME, (frame + 1) * FRAME)),
      ),
    };
    this.place.value = Math.max(
      0,
      student.findIndex((probability) => probability > 0.9),
    );
    await this.#askTeacher();
  }

  /** Plays the clip that is shown, or was shown before the microphone. */
  async play(): Promise<void> {
    this.stop(); // also a wish for the microphone
    if (this.source.peek() === 'microphone') await this.choose(this.#clip);
    if (this.status.peek() !== 'still') return; // the visitor has wished for something else
    const audio = this.#audio!;
    this.status.value = 'playing';
    try {
      await audio.play();
    } catch (error) {
      if (this.status.peek() !== 'playing') return; // paused before it began
      this.status.value = 'still';
      this.#fail('The browser does not play the clip', error);
      return;
    }
    const follow = (): void => {
      if (this.status.peek() !== 'playing' || this.#audio !== audio) return;
      this.place.value = this.#frameAt(audio.currentTime);
      requestAnimationFrame(follow);
    };
    follow();
  }

  pause(): void {
    this.#audio?.pause();
    if (this.status.peek() === 'playing') this.status.value = 'still';
  }

  /** Goes to a frame of the clip. */
  seek(frame: number): void {
    this.#audio!.currentTime = frame * FRAME_SECONDS;
    this.place.value = frame;
  }

  #frameAt(seconds: number): number {
    const last = this.trace.peek().student.length - 1;
    return Math.min(last, Math.floor(seconds / FRAME_SECONDS));
  }

  /** Listens to the microphone, if the visitor allows it. */
  async useMicrophone(): Promise<void> {
    this.stop();
    this.#microphone = new AbortController();
    const { signal } = this.#microphone;
    this.failure.value = undefined;
    this.status.value = 'asking';
    try {
      await listen(
        (frame) => this.#hear(frame),
        (reason) => {
          this.stop();
          this.failure.value = reason;
        },
        signal,
      );
    } catch (error) {
      if (signal.aborted) return; // the visitor has wished for something else meanwhile
      this.stop();
      if (error instanceof Refusal) this.failure.value = error.message;
      else this.#fail('The microphone does not work', error);
      return;
    }
    this.#heard = 0;
    this.#follows = false;
    this.source.value = 'microphone';
    this.trace.value = emptyTrace(SHOWN);
    this.place.value = SHOWN - 1;
    this.status.value = 'listening';
  }

  /** Stops what plays, and releases the microphone. */
  stop(): void {
    this.pause();
    this.#microphone.abort();
    this.status.value = 'still';
  }

  /** Moves the trace on by a frame of the microphone. */
  #hear({ probability, frame }: Heard): void {
    if (this.status.peek() !== 'listening') return;
    const heard = ++this.#heard;
    const { student, teacher, loudness } = this.trace.peek();
    for (const values of [student, teacher, loudness]) values.copyWithin(0, 1);
    student[SHOWN - 1] = probability;
    loudness[SHOWN - 1] = loudnessOf(frame);
    teacher[SHOWN - 1] = Number.NaN;
    this.trace.value = { student, teacher, loudness };
    const first = !this.#follows;
    this.#follows = this.#teacher !== undefined;
    void this.#ask(frame, first).then((answer) => {
      const place = SHOWN - 1 - (this.#heard - heard);
      if (!answer || this.trace.peek().teacher !== teacher || place < 0) return;
      teacher[place] = answer.probabilities[0]!;
      this.trace.value = { student, teacher, loudness };
    });
  }

  /** Loads the teacher, which then listens in this browser. */
  async loadTeacher(): Promise<void> {
    this.teacherStatus.value = 'loading';
    try {
      this.#teacher = await Teacher.open((error) =>
        this.#loseTeacher('The teacher has stopped', error),
      );
    } catch (error) {
      this.#loseTeacher('The teacher could not be loaded', error);
      return;
    }
    this.teacherStatus.value = 'ready';
    await this.#askTeacher();
  }

  /** Replaces the teacher's recorded answers to a clip: the teacher in this browser answers. */
  async #askTeacher(): Promise<void> {
    if (!this.#sound || this.source.peek() === 'microphone') return;
    const trace = this.trace.peek();
    const sound = this.#sound.slice(0, trace.student.length * FRAME);
    this.#follows = false;
    const answer = await this.#ask(sound, true);
    if (answer && this.trace.peek() === trace) {
      this.trace.value = { ...trace, teacher: answer.probabilities };
    }
  }

  /** Asks the teacher, if it is there, and takes its time. */
  async #ask(sound: Float32Array, first: boolean): Promise<Answer | undefined> {
    const answer = await this.#teacher?.listen(sound, first);
    if (answer) this.#timeTeacher(answer.milliseconds / answer.probabilities.length);
    return answer;
  }

  #loseTeacher(what: string, error: unknown): void {
    this.#teacher = undefined;
    this.teacherStatus.value = 'failed';
    this.#fail(what, error);
  }

  #timeTeacher(milliseconds: number): void {
    const { teacher } = this.times;
    const before = teacher.peek() ?? milliseconds;
    teacher.value = before + (milliseconds - before) / 20; // a running mean
  }
}

/** Returns the frame at which the meters of a model read: the last one that it has heard. */
export function lastHeard(values: Float32Array, place: number): number | undefined {
  for (let frame = place; frame >= 0; frame--) {
    if (!Number.isNaN(values[frame]!)) return values[frame];
  }
  return undefined;
}
