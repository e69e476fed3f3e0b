import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type RunningService, startService } from "../support/service.ts";

/** A place in the deployment; the process in it comes and goes. */
export interface Member {
  readonly role: "api" | "worker";
  readonly dataDir: string;
  /** Undefined while its process is dead or starting. */
  service: RunningService | undefined;
  /** It stands still, connections open, as on a machine that hangs; nobody kills it meanwhile. */
  isPaused: boolean;
}

/** Processes of one deployment under a supervisor that starts what ended. */
export interface Cluster extends AsyncDisposable {
  readonly members: readonly Member[];
  add(role: Member["role"]): Promise<Member>;
  living(role?: Member["role"]): RunningService[];
  /** Kills the process as a machine would that loses its power, and brings another one into its place a moment later. */
  crash(member: Member, pauseMs: number): Promise<void>;
  pause(member: Member): void;
  goOn(member: Member): void;
  /** Waits until every place has its process. */
  whole(): Promise<void>;
  /** What all processes said, the dead ones too. */
  lines(): string[];
}

const longestStartMs = 60_000;

/** Nothing is started before `add`. */
export function openCluster(folder: string, databaseUrl: string, env: Record<string, string>): Cluster {
  const members: Member[] = [];
  const starts = new Set<Promise<void>>();
  const started: RunningService[] = [];

  async function startIn(member: Member): Promise<void> {
    const endMs = performance.now() + longestStartMs;
    for (;;) {
      try {
        const on = { dataDir: member.dataDir, databaseUrl };
        member.service = await startService({ env: { ...env, SERVICE_ROLE: member.role }, on });
        started.push(member.service);
        return;
      } catch (error) {
        // Without its database a process ends at its start, and its supervisor tries again.
        if (performance.now() > endMs) throw error;
        await delay(500);
      }
    }
  }

  const supervised = (member: Member): Promise<void> => {
    const starting = startIn(member).finally(() => starts.delete(starting));
    starts.add(starting);
    return starting;
  };

  function goOn(member: Member): void {
    if (member.isPaused && member.service !== undefined) process.kill(member.service.pid, "SIGCONT");
    member.isPaused = false;
  }

  return {
    members,
    async add(role) {
      const dataDir = join(folder, `${role}-${members.length}`);
      mkdirSync(dataDir, { recursive: true });
      const member: Member = { role, dataDir, service: undefined, isPaused: false };
      members.push(member);
      await supervised(member);
      return member;
    },
    living: (role) =>
      members.flatMap((member) =>
        member.service === undefined || member.isPaused || (role !== undefined && member.role !== role)
          ? []
          : [member.service],
      ),
    async crash(member, pauseMs) {
      const { service } = member;
      if (service === undefined) return;
      member.service = undefined;
      const code = await service.kill("SIGKILL");
      // By a signal: had it ended by itself before, it would have a code.
      if (code !== null) throw new Error(`${member.role} had ended by itself with ${code}`);
      await delay(pauseMs);
      // A failure is told by whole().
      supervised(member).catch(() => {});
    },
    pause(member) {
      if (member.service !== undefined) process.kill(member.service.pid, "SIGSTOP");
      member.isPaused = member.service !== undefined;
    },
    goOn,
    async whole() {
      await Promise.all(starts);
      const missing = members.filter(({ service }) => service === undefined);
      if (missing.length > 0) throw new Error(`${missing.map(({ role }) => role).join(", ")} could not be started`);
    },
    lines: () => started.flatMap(({ lines, errorLines }) => [...lines, ...errorLines]),
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(starts);
      for (const member of members) goOn(member);
      await Promise.all(members.map(({ service }) => service?.halt()));
    },
  };
}
