import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mutant } from "../support/mutate-bytes.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { eventually, type RunningService, startService } from "../support/service.ts";
import { readFixture, tableFixtures } from "../support/table-fixtures.ts";

/** The same each time, unless another seed is asked for; so many mutants, or as many as there is time for. */
const seed = Number(process.env.FUZZ_SEED ?? 1);
const cases = Number(process.env.FUZZ_CASES ?? 150);
const seconds = Number(process.env.FUZZ_SECONDS ?? 0);

let service: RunningService;

beforeAll(async () => {
  service = await startService({ env: { MAX_EMPTY_RATIO: "1" } });
});
afterAll(() => service.stop());

const random = seededRandom(seed);
const oneOf = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
/** What is refused as it is seldom becomes a table by chance. */
const tables = tableFixtures.filter(({ understood }) => understood !== undefined);
const listed = (folder: string): Promise<string[]> => readdir(join(service.dataDir, "files", folder));

/** A file that nobody would send by intent, and the form that it is sent in. */
function nextForm(name: string): { readonly form: FormData; readonly how: string } {
  const { file } = oneOf(tables);
  const { how, bytes } = mutant(random, readFixture(file), readFixture(oneOf(tableFixtures).file));
  const form = new FormData();
  form.append("file", new Blob([new Uint8Array(bytes)]), file);
  form.append("name", name);
  if (random() < 0.1) form.append("delimiter", oneOf([",", ";", "\\t", "|"]));
  if (random() < 0.1) form.append("encoding", oneOf(["utf-8", "utf-16le", "windows-1251", "gb18030", "shift_jis"]));
  if (random() < 0.1) form.append("decimal", oneOf([".", ","]));
  // To see it again, the seed and the number suffice; the bytes are said for who wants to look at them alone.
  return { form, how: `${name}: ${file} ${how}, ${bytes.subarray(0, 3_000).toString("base64")}` };
}

test(
  "what was a table once ends no process, is no fault of ours, and leaves nothing behind where it is refused",
  async () => {
    const kept: string[] = [];
    const outcomes = new Map<string, number>();
    const endMs = performance.now() + seconds * 1000;
    for (let count = 0; count < cases || performance.now() < endMs; count += 1) {
      const { form, how } = nextForm(`mutant ${seed}.${count}`);
      const path = random() < 0.5 ? "/datasets/inspect" : "/datasets/upload";
      const [answer, health] = await Promise.all([
        service.call("POST", path, form),
        // Whatever a file does to its reader, others are served beside it.
        service.call("GET", "/api/health/ready"),
      ]);
      expect(answer.status, `${how}\n${answer.text}`).toBeLessThan(500);
      expect(health.status, how).toBe(200);
      const outcome = answer.json.code ?? path;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (answer.status !== 201) continue;
      kept.push(answer.json.id);
      const rows = await service.call("GET", `/datasets/${answer.json.id}/rows`);
      expect(rows.status, `${how}\n${rows.text}`).toBe(200);
    }
    // Both ways are gone: many that are tables still, and many that are none.
    expect(kept.length, JSON.stringify([...outcomes])).toBeGreaterThan(cases / 20);
    expect(outcomes.size).toBeGreaterThan(5);
    for (const id of kept) {
      const { json } = await eventually(async () => {
        const answer = await service.call("GET", `/datasets/${id}`);
        return (answer.json.profile !== null || answer.json.profileFault !== null) && answer;
      });
      expect(json.profileFault, JSON.stringify(json)).toBeNull();
    }
    expect((await listed("dataset")).sort()).toEqual(kept.sort());
    await eventually(async () => (await listed("tmp")).length === 0);
  },
  600_000 + seconds * 2_000,
);
