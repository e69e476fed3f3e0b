import { inMebibytes } from "../models/least-memory.ts";

const mebibyte = 1024 * 1024;

/** What parts of a training's process may hold of TRAINING_MEMORY_BYTES; the rest is for typed arrays and code. */
export function memoryShares(memoryBytes: number): {
  readonly heapMebibytes: number;
  readonly duckdbMebibytes: number;
} {
  return {
    heapMebibytes: Math.floor(memoryBytes / 2 / mebibyte),
    duckdbMebibytes: Math.floor(memoryBytes / 4 / mebibyte),
  };
}

/** What a training ran out of: the process of its whole budget, or a part of its own share. */
export type MemoryPart = "process" | "heap" | "duckdb" | "machine";

/** A training was ended because its memory was used up. */
export class TrainingMemoryError extends Error {
  readonly part: MemoryPart;
  /** What it had when it was ended, where that is known. */
  readonly heldBytes: number | undefined;

  constructor(part: MemoryPart, heldBytes?: number) {
    super(`The memory of the training's ${part} is used up.`);
    this.name = "TrainingMemoryError";
    this.part = part;
    this.heldBytes = heldBytes;
  }
}

/** What a caller is told of it: needed, there, and what to do. */
export function explainMemory({ part, heldBytes }: TrainingMemoryError, memoryBytes: number): string {
  const { heapMebibytes, duckdbMebibytes } = memoryShares(memoryBytes);
  const there = inMebibytes(memoryBytes);
  const why: Record<MemoryPart, string> = {
    process: `it needed at least ${inMebibytes(heldBytes ?? memoryBytes)}, and TRAINING_MEMORY_BYTES allows ${there}`,
    heap: `its texts and trees needed more than ${heapMebibytes} MiB of JavaScript heap, half of TRAINING_MEMORY_BYTES (${there})`,
    duckdb: `reading the CSV needed more than ${duckdbMebibytes} MiB, a quarter of TRAINING_MEMORY_BYTES (${there})`,
    machine: `the machine or container had none left, though TRAINING_MEMORY_BYTES allows ${there}`,
  };
  const remedy = part === "machine" ? "give the service more memory" : "raise TRAINING_MEMORY_BYTES";
  return `The training ran out of memory: ${why[part]}. Use fewer columns (\`features\`) or rows or a smaller depth, or let the operator ${remedy}.`;
}
