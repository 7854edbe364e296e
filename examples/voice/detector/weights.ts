import { countParameters, layoutOf, type Shape, type Student } from './layout.js';

/** Bytes before the scales: width, blocks, and two zeros, so that the scales are aligned. */
const HEADER = 4;

/** The largest byte that stands for a number. */
const LARGEST = 127;

/**
 * Writes a student in about one byte a parameter: 12,277 bytes for the one of the page. The file
 * has width and number of blocks, a float32 scale for each tensor (little-endian), and then all
 * parameters as signed bytes. A parameter is scale · byte, wrong by half a scale at most.
 */
export function encode({ shape, parameters }: Student): Uint8Array {
  const tensors = layoutOf(shape);
  const file = new Uint8Array(fileLength(shape));
  const view = new DataView(file.buffer);
  const bytes = new Int8Array(file.buffer, HEADER + 4 * tensors.length);
  file.set([shape.width, shape.blocks]);
  tensors.forEach(({ rows, columns, offset }, index) => {
    const values = parameters.subarray(offset, offset + rows * columns);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const scale = Math.fround(largest / LARGEST);
    view.setFloat32(HEADER + 4 * index, scale, true);
    if (scale > 0)
      bytes.set(
        values.map((value) => Math.round(value / scale)),
        offset,
      );
  });
  return file;
}

/**
 * Reads what {@link encode} wrote.
 *
 * @throws {RangeError} If the file has not the length that its shape asks for.
 */
export function decode(file: Uint8Array): Student {
  const shape: Shape = { width: file[0] ?? 0, blocks: file[1] ?? 0 };
  if (file.length !== fileLength(shape)) {
    const { width, blocks } = shape;
    throw new RangeError(
      `a student of width ${width} with ${blocks} blocks has ${fileLength(shape)} bytes, got ${file.length}`,
    );
  }
  const tensors = layoutOf(shape);
  const view = new DataView(file.buffer, file.byteOffset);
  const start = HEADER + 4 * tensors.length;
  const parameters = new Float32Array(countParameters(shape));
  tensors.forEach(({ rows, columns, offset }, index) => {
    const scale = view.getFloat32(HEADER + 4 * index, true);
    for (let i = offset; i < offset + rows * columns; i++) {
      parameters[i] = scale * view.getInt8(start + i);
    }
  });
  return { shape, parameters };
}

function fileLength(shape: Shape): number {
  return HEADER + 4 * layoutOf(shape).length + countParameters(shape);
}
