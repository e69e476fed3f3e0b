import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ColumnType } from "../../src/tables/column-type.ts";

const folder = join(import.meta.dirname, "../fixtures/tables");

/** A file as people have them, and what it is: a table that is understood so, or none, and why. */
export interface TableFixture {
  readonly file: string;
  readonly about: string;
  /** Fields of the form that are sent with it. */
  readonly fields?: Record<string, string>;
  /** What the answer to an upload says of how it was read; what is not named here may be anything. */
  readonly understood?: Record<string, unknown> & { readonly delimiter?: string | null };
  /** Of each column that is not left out, its type. */
  readonly columns?: Record<string, ColumnType>;
  readonly rows?: number;
  readonly first?: readonly (number | string | boolean | null)[];
  readonly target?: string;
  /** Codes of all warnings. */
  readonly warnings?: readonly string[];
  /** The code with which a training on it ends; absent where one succeeds. */
  readonly trains?: string;
  /** The code, and words that name the cause. */
  readonly refused?: { readonly code: string; readonly says: readonly string[] };
}

/** All of them, by their index. */
export const tableFixtures: readonly TableFixture[] = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));

/** Where one lies. */
export const fixturePath = (file: string): string => join(folder, file);

/** Its bytes. */
export const readFixture = (file: string): Buffer => readFileSync(fixturePath(file));
