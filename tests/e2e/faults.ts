import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { penguinsCsv } from "../support/real-data.ts";
import type { FaultyService } from "./faulty-service.ts";
import { eventually } from "./processes.ts";
import type { ScratchPostgres } from "./scratch-postgres.ts";

/** What a fault can lay its hands on. */
export interface FaultParts {
  readonly folder: string;
  readonly service: FaultyService;
  readonly postgres: ScratchPostgres;
  /** Lets Prometheus ask another process instead. */
  readonly retarget: (target: string) => void;
}

/**
 * What may be told at any fault, by name and severity: half a dozen processes share the machine, and what is a minute to
 * the service is an hour to the shortened rules.
 */
export const mayAlwaysFollow: Readonly<Record<string, string>> = {
  // As a warning: that a rule has failed is critical, and no load of the machine is an excuse for it.
  "PrometheusRuleFailing warning": "a round each second is missed now and then where the machine is busy",
};

/**
 * For faults that keep the machine busy themselves, and only for those. One stall of a second stays in the gauge for up to
 * a minute, which outlasts the shortened `for`; a longer `for` would never be over, as a blocked service misses scrapes. In
 * three runs, one of them at a load of 15 on two cores, it was told at no fault but its own.
 */
const mayStall = (why: string): Readonly<Record<string, string>> => ({ "EventLoopBlocked critical": why });

/** A fault that is made for real, and what people must hear of it. */
export interface Fault {
  readonly name: string;
  /** Alerts that must arrive; all are critical, so by Slack and by e-mail. */
  readonly expected: readonly string[];
  /** Those that may, by name and severity, and why; any other fails the test. */
  readonly mayFollow?: Readonly<Record<string, string>>;
  readonly env?: NodeJS.ProcessEnv;
  /** It gets a PostgreSQL of its own. */
  readonly stopsPostgres?: boolean;
  /** Before the service starts. @returns what undoes it after the service's end */
  prepareFolder?(folder: string): () => void;
  /** Work that goes on from before the fault until after the repair; its faults are ignored. */
  readonly traffic?: (parts: FaultParts) => Promise<void>;
  /**
   * While it is broken and not told yet, there is no traffic. What stands for the effects is told a minute before they are:
   * of the shortened rules that is a second, less than the age that a reading of the state may have. In their real times
   * known-causes.test.ts plays it.
   */
  readonly isToldBeforeTraffic?: boolean;
  prepare?(parts: FaultParts): Promise<void>;
  breakIt(parts: FaultParts): Promise<void>;
  repair(parts: FaultParts): Promise<void>;
}

const smallCsv = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A switch of break-on-demand.cjs. */
const switchOn = (folder: string, fault: string): void => writeFileSync(join(folder, fault), "");
const switchOff = (folder: string, fault: string): void => rmSync(join(folder, fault));

async function uploaded(service: FaultyService, csv: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const answer = await service.upload(csv, "kept");
  const { id } = (await answer.json()) as { id?: string };
  if (id === undefined) throw new Error(`The upload was answered with ${answer.status}.`);
  // Its profile reads the file, and shall be done with it.
  await eventually("the profile is there", 30, async () => {
    const dataset = (await (await service.call("GET", `/datasets/${id}`)).json()) as { profile: unknown };
    return dataset.profile === null ? undefined : true;
  });
  return id;
}

const listing = async ({ service }: FaultParts): Promise<void> => {
  await (await service.call("GET", "/datasets")).arrayBuffer();
  await pause(100);
};

const filler = ({ service }: FaultParts): string => join(service.dataDir, "files", "filler");
const datasets = ({ service }: FaultParts): string => join(service.dataDir, "files", "dataset");

export const faults: readonly Fault[] = [
  {
    name: "PostgreSQL stopped",
    expected: ["StateUnreadable"],
    mayFollow: mayStall("a server of its own is started, stopped and recovers"),
    stopsPostgres: true,
    traffic: listing,
    isToldBeforeTraffic: true,
    breakIt: ({ postgres }) => postgres.stop(),
    repair: ({ postgres }) => postgres.start(),
  },
  {
    name: "disk full",
    expected: ["StorageNearlyFull"],
    mayFollow: mayStall("128 MB are written at once, and files without end"),
    isToldBeforeTraffic: true,
    prepareFolder(folder) {
      const files = join(folder, "data", "files");
      mkdirSync(files, { recursive: true });
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=128m", "tmpfs", files]);
      return () => execFileSync("umount", [files]);
    },
    // The same each time, so that nothing is kept but the first; it is received all the same.
    traffic: async ({ service }) => {
      await (await service.upload(smallCsv, "small")).arrayBuffer();
      await pause(200);
    },
    async breakIt(parts) {
      const { bavail, bsize } = statfsSync(datasets(parts));
      writeFileSync(filler(parts), Buffer.alloc(bavail * bsize));
    },
    repair: async (parts) => rmSync(filler(parts)),
  },
  {
    name: "processes that train killed",
    expected: ["TrainingSuccessBudgetBurn"],
    mayFollow: mayStall("processes are started and die one after the other"),
    async prepare({ service }) {
      await uploaded(service, new Uint8Array(penguinsCsv()));
    },
    traffic: async ({ service }) => {
      const { items } = (await (await service.call("GET", "/datasets")).json()) as { items: { id: string }[] };
      const answer = await service.call("POST", "/training-runs", { datasetId: items[0]?.id, mode: "light" });
      const { id } = (await answer.json()) as { id: string };
      await eventually("the run ends", 60, async () => {
        const { status } = (await (await service.call("GET", `/training-runs/${id}`)).json()) as { status: string };
        return ["succeeded", "failed"].includes(status) ? true : undefined;
      });
    },
    breakIt: async ({ folder }) => switchOn(folder, "dying-trainings"),
    repair: async ({ folder }) => switchOff(folder, "dying-trainings"),
  },
  {
    name: "folder of the expired datasets unreadable",
    expected: ["DatasetTtlStopped"],
    mayFollow: {
      "DatasetTtlFailing warning": "it may come before DatasetTtlStopped, which silences it",
      "DatasetTtlLagging warning": "likewise",
    },
    env: { DATASET_TTL_DAYS: "0.0001", DATASET_TTL_CHECK_INTERVAL_SECONDS: "5" },
    // A file in its place, since nothing is unreadable for root.
    async breakIt(parts) {
      await uploaded(parts.service, smallCsv);
      renameSync(datasets(parts), `${datasets(parts)}.away`);
      writeFileSync(datasets(parts), "");
    },
    async repair(parts) {
      rmSync(datasets(parts));
      renameSync(`${datasets(parts)}.away`, datasets(parts));
    },
  },
  {
    name: "event loop blocked",
    expected: ["EventLoopBlocked"],
    breakIt: async ({ folder }) => switchOn(folder, "blocked-event-loop"),
    repair: async ({ folder }) => switchOff(folder, "blocked-event-loop"),
  },
  {
    name: "service killed",
    expected: ["BackendTargetDown"],
    breakIt: ({ service }) => service.kill(),
    repair: ({ service }) => service.start(),
  },
  {
    name: "prefix changed: the new process's metrics are another's",
    expected: ["BackendUpButBlind"],
    breakIt: async ({ service, retarget }) =>
      retarget(await service.startBeside({ PROMETHEUS__METRIC_NAMESPACE: "renamed" })),
    repair: async ({ service, retarget }) => retarget(service.target),
  },
];
