import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningService, startService } from "../support/service.ts";

const csv = "a,b,label\n1,2,x\n3,4,y\n5,6,x\n";

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

test.each([
  [
    "twice",
    [
      ["name", "x"],
      ["name", "y"],
    ],
  ],
  ["as a list", [["name[]", "x"]]],
  ["as an object", [["name[a]", "x"]]],
  ["as an object, the target", [["target[x]", "a"]]],
] as const)("a form field sent %s is refused as the sender's mistake", async (_how, fields) => {
  const rejections = () => service.metric("mlops_backend_dataset_upload_rejections_total", { reason: "FIELD_INVALID" });
  const before = await rejections();
  const form = new FormData();
  form.append("file", new Blob([csv]), "data.csv");
  for (const [name, value] of fields) form.append(name, value);
  const answer = await service.call("POST", "/datasets/upload", form);
  expect(answer.json).toMatchObject({ code: "FIELD_INVALID", status: 400 });
  expect(await rejections()).toBe(before + 1);
});
