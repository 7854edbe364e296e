import { listenTo } from './detector/detector.js';
import { FRAME } from './detector/features.js';
import type { Student } from './detector/layout.js';
import type { Speed } from './results.js';
import { mixScenes, type Plan } from './scenes.js';
import { Teacher } from './teacher.js';

/** Times that each detector hears the scene; the fastest one counts. */
const ROUNDS = 5;

/** Measures both detectors by turns on one scene, frame by frame, as they hear a microphone. */
export async function measureSpeed(student: Student, plan: Plan): Promise<Speed> {
  const [scene] = mixScenes(plan);
  const { sound } = scene!;
  const frames = sound.length / FRAME;
  const teacher = await Teacher.open();
  const times: Speed[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    times.push({
      teacher: (await processorTime(() => teacher.listen([sound]))) / frames,
      student: (await processorTime(async () => listenTo(sound, student))) / frames,
    });
  }
  const fastest = (detector: keyof Speed) => Math.min(...times.map((time) => time[detector]));
  return { teacher: fastest('teacher'), student: fastest('student') };
}

/** Returns milliseconds of processor time, which other programs lengthen less than time itself. */
async function processorTime(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
