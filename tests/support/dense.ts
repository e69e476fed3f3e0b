/** A fit whose features stand in memory, as tests have them. */
export type Dense<Fit> = Omit<Fit, "columns"> & { readonly columns: readonly Float32Array[] };
