import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { endless, noiseCsv } from "../support/endless-training.ts";
import { penguinsCsv } from "../support/real-data.ts";
import { eventually, startService } from "../support/service.ts";

const keyOf = { anna: "key-a", ben: "key-b" } as const;
type Owner = keyof typeof keyOf;

test("who queues one run need not wait for the backlog of who queues many", async () => {
  const hashes = Object.entries(keyOf).map(
    ([owner, key]) => `${owner}:${createHash("sha256").update(key).digest("hex")}`,
  );
  const service = await startService({ env: { API_KEYS: hashes.join(","), TRAINING_CONCURRENCY: "1" } });
  const as = (owner: Owner) => ({ authorization: `Bearer ${keyOf[owner]}` });
  const run = async (owner: Owner, id: string) =>
    (await service.call("GET", `/training-runs/${id}`, undefined, as(owner))).json;
  try {
    const upload = async (owner: Owner, csv: string | Buffer) =>
      (await service.upload(csv, {}, "data.csv", as(owner))).json.id as string;
    const submit = async (owner: Owner, datasetId: string, more: object = { mode: "light" }) =>
      (await service.call("POST", "/training-runs", { datasetId, ...more }, as(owner))).json;
    const annas = await upload("anna", penguinsCsv());
    const bens = await upload("ben", penguinsCsv());

    // The only slot is taken until everybody stands in the queue.
    const blocking = await submit("anna", await upload("anna", noiseCsv()), endless);
    await eventually(async () => (await run("anna", blocking.id)).status === "running");
    const waiting: { owner: Owner; id: string }[] = [];
    for (const owner of ["anna", "anna", "anna", "anna", "ben"] as const)
      waiting.push({ owner, id: (await submit(owner, owner === "anna" ? annas : bens)).id });
    // Behind the run of Anna's that has none of hers before it, and was there first.
    expect((await run("ben", waiting[4]!.id)).queuePosition).toBe(2);
    await service.call("POST", `/training-runs/${blocking.id}/cancel`, undefined, as("anna"));

    const ended = await Promise.all(
      waiting.map(({ owner, id }) =>
        eventually(async () => {
          const { status, startedAt } = await run(owner, id);
          return status === "succeeded" && { owner, startedAt: startedAt as string };
        }),
      ),
    );
    const order = ended.toSorted((one, other) => one.startedAt.localeCompare(other.startedAt));
    expect(order.map(({ owner }) => owner)).toEqual(["anna", "ben", "anna", "anna", "anna"]);
  } finally {
    await service.stop();
  }
});
