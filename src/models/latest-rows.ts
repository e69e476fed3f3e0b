import { momentOf } from "./date-parts.ts";
import { shortName } from "./feature-schema.ts";
import type { RowSplit } from "./split-rows.ts";
import { TrainingDataError } from "./training-data-error.ts";
import type { TableColumn } from "./training-table.ts";
import type { ValidationReport } from "./validation.ts";

/** Past and future, and what was found of the moments. */
interface TimeSplit extends Required<Pick<ValidationReport, "from" | "withoutMoment">> {
  readonly split: RowSplit;
}

/**
 * Holds out the latest rows. Rows of one moment stay together: of the two places beside that moment the one that is nearer to
 * the share is taken. Rows without a moment are in neither part.
 * @param rows those that have a target
 * @throws TrainingDataError PARAMETER_UNUSABLE
 */
export function holdOutLatest(column: TableColumn, rows: Int32Array, share: number): TimeSplit {
  const name = shortName(column.name);
  if (column.kind !== "date" && column.kind !== "number")
    throw unusable(
      `by time needs a column of dates, times or numbers, and «${name}» holds ${column.kind === "text" ? "text" : "booleans"}. Name another one, or say the dataset how its dates are written`,
    );
  const { numbers } = column;
  const momentAt = (place: number): number => numbers[rows[place]!]!;
  const places = Int32Array.from(rows.keys())
    .filter((place) => Number.isFinite(momentAt(place)))
    .sort((a, b) => momentAt(a) - momentAt(b));
  const cut = places.length - Math.max(1, Math.round(places.length * share));
  const moment = momentAt(places[Math.max(0, cut)]!);
  const first = places.findIndex((place) => momentAt(place) === moment);
  const next = places.findIndex((place) => momentAt(place) > moment);
  const isNextNearer = next > 0 && (first === 0 || next - cut < cut - first);
  const start = isNextNearer ? next : first;
  if (start <= 0)
    throw unusable(
      places.length === 0
        ? `by time needs moments, and «${name}» has none in the rows with a target`
        : `by time needs different moments, and «${name}» has the same in all rows with a target`,
    );
  const from = momentAt(places[start]!);
  return {
    split: { kept: places.slice(0, start).sort(), heldOut: places.slice(start).sort() },
    from: column.kind === "date" ? momentOf(from, column.written) : from,
    withoutMoment: rows.length - places.length,
  };
}

const unusable = (why: string): TrainingDataError =>
  new TrainingDataError("PARAMETER_UNUSABLE", `\`validation\` ${why}.`);
