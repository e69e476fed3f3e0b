import { readdirSync, readFileSync } from "node:fs";

/** The nice value of each thread of a process, by its id; the thread that the process began with has the process's id. */
export function nicenessOf(pid: number): Map<number, number> {
  const threads = readdirSync(`/proc/${pid}/task`).flatMap((tid): [number, number][] => {
    try {
      const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, "utf8");
      // Field 19 of proc_pid_stat(5); the second is a name, which may have spaces.
      return [[Number(tid), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16])]];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
  return new Map(threads);
}
