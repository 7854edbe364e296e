import { UserError } from '../shared/commandLine.js';
import type { Project, ProjectSettings } from './project.js';

/** Opens the project of a teacher: drawn lines for `onnx`, text for all others. */
export async function openProject(settings: ProjectSettings): Promise<Project> {
  if (settings.teacher !== 'onnx') {
    const { openTextProject } = await import('./text.js');
    return openTextProject(settings);
  }
  try {
    const { openLinesProject } = await import('./lines.js');
    return await openLinesProject(settings);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const hint = 'npm ci --ignore-scripts --prefix examples/onnx installs what it needs';
    throw new UserError(`--teacher onnx: ${(error as Error).message}; ${hint}`, { cause: error });
  }
}
