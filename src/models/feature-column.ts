/** One of a model's own features in the rows that are learnt from: its 32-bit floats, or where in the table they come from. NaN is missing. */
export type FeatureColumn = Float32Array | TableFeature;

/** What the categories of one column have in common. */
export interface Categories {
  readonly count: number;
  /** Which of them a row of the table has; -1 where it has none. */
  readonly in: (row: number) => number;
}

/** A feature that is 1 in the rows of one category, and 0 in all others. */
interface OneCategory {
  readonly categories: Categories;
  readonly place: number;
}

/**
 * A feature that is still in the table: most are asked for once, to be cut into bins or standardised, and all of them as floats
 * were as much memory as half the table.
 */
export class TableFeature {
  readonly #valueIn: (row: number) => number;
  /** Of the table, by place. */
  readonly rows: Int32Array;
  /** Undefined where it is a number. */
  readonly category: OneCategory | undefined;

  /** @param valueIn a row of the table, as a 32-bit float */
  constructor(valueIn: (row: number) => number, rows: Int32Array, category?: OneCategory) {
    this.#valueIn = valueIn;
    this.rows = rows;
    this.category = category;
  }

  get length(): number {
    return this.rows.length;
  }

  at(place: number): number {
    return this.#valueIn(this.rows[place]!);
  }

  floats(): Float32Array {
    const floats = new Float32Array(this.rows.length);
    for (let place = 0; place < floats.length; place++) floats[place] = this.#valueIn(this.rows[place]!);
    return floats;
  }

  /** The same in other rows. */
  in(rows: Int32Array): TableFeature {
    return new TableFeature(this.#valueIn, rows, this.category);
  }
}

/** The features of a column's categories, one for each. */
export function categoryFeatures(categories: Categories, rows: Int32Array): TableFeature[] {
  return Array.from({ length: categories.count }, (_, place) => {
    const valueIn = (row: number): number => (categories.in(row) === place ? 1 : 0);
    return new TableFeature(valueIn, rows, { categories, place });
  });
}

/** All numbers of a feature. */
export const floatsOf = (column: FeatureColumn): Float32Array =>
  column instanceof TableFeature ? column.floats() : column;

/** One number of a feature. */
export const floatAt = (column: FeatureColumn, place: number): number =>
  column instanceof TableFeature ? column.at(place) : column[place]!;

/** The features of some of their places. */
export function pickPlaces(columns: readonly FeatureColumn[], places: Int32Array): FeatureColumn[] {
  // Features of one table have one list of rows.
  const picked = new Map<Int32Array, Int32Array>();
  return columns.map((column) => {
    if (!(column instanceof TableFeature)) return floatsAt(column, places);
    const rows = picked.get(column.rows) ?? places.map((place) => column.rows[place]!);
    picked.set(column.rows, rows);
    return column.in(rows);
  });
}

/** The numbers of a feature in some of its places. */
export function floatsAt(column: FeatureColumn, places: Int32Array): Float32Array {
  const floats = new Float32Array(places.length);
  for (let at = 0; at < places.length; at++) floats[at] = floatAt(column, places[at]!);
  return floats;
}
