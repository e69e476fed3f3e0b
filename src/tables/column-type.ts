/** What a column holds. */
export const columnTypes = ["number", "text", "date", "time", "boolean"] as const;
export type ColumnType = (typeof columnTypes)[number];

/** Types of which DuckDB keeps TIMESTAMPs: those of times are of 1 January 1970, or of the days after it where they are longer. */
export type MomentType = Extract<ColumnType, "date" | "time">;

/** Whether a type is one of them. */
export const isOfMoments = (type: ColumnType): type is MomentType => type === "date" || type === "time";
