/** The temperatures of both sides in a row. */
export interface SoftTemperatures {
  readonly student: number;
  readonly teacher: number;
}

/** Returns the temperatures of a row, for a batch or for one pass. */
export function temperaturesOf(
  { teacherTemperature }: { readonly teacherTemperature: number | undefined },
  {
    temperature,
    temperatures,
  }: { readonly temperature: number; readonly temperatures: Float64Array | undefined },
): (row: number) => SoftTemperatures {
  return (row) => {
    const student = temperatures?.[row] ?? temperature;
    return { student, teacher: teacherTemperature ?? student };
  };
}
