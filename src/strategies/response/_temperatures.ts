// The temperatures of a pass, of both sides and of each row.

/** The temperatures of both sides in a row. */
export interface SoftTemperatures {
  readonly student: number;
  readonly teacher: number;
}

/** The temperatures of the rows of a batch, or of a pass over them. */
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
