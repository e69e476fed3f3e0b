import { readdirSync, readFileSync } from "node:fs";

/** proc_pid_stat(5) from field 3 on; before it stand an id and a name, which may have spaces. */
function statFields(path: string): string[] {
  return readFileSync(`${path}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
}

/** CPU of a process so far; /proc has it in hundredths of a second (fields 14 and 15). */
export function cpuSeconds(pid: number): number {
  const fields = statFields(`/proc/${pid}`);
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The nice value (field 19) of each thread of a process, by its id; the first thread has the process's. */
export function nicenessOf(pid: number): Map<number, number> {
  const threads = readdirSync(`/proc/${pid}/task`).flatMap((tid): [number, number][] => {
    try {
      return [[Number(tid), Number(statFields(`/proc/${pid}/task/${tid}`)[16])]];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
  return new Map(threads);
}
