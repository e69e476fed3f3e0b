import { expect, test } from "vitest";
import { startService } from "../support/service.ts";

const secrets = {
  email: "ada.lovelace@example.org",
  token: "sk-live-4f9a8b7c6d5e",
  fileName: "salaries-of-the-board.csv",
  column: "passport_number",
  value: "P-7781234-X",
  uuid: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
  agent: "curl-of-eve/6.6",
};
const { email, token, fileName, column, value, uuid, agent } = secrets;

test("nothing that callers send is found in /metrics", async () => {
  const service = await startService();
  try {
    const header = { "user-agent": agent, authorization: `Bearer ${token}`, "x-request-id": uuid, "x-mail": email };
    const csv = `${column},n,target\n${Array.from({ length: 20 }, (_, n) => `${value}${n % 3},${n},${n % 2}`).join("\n")}\n`;
    const uploaded = await service.upload(csv, { name: email, target: "target" }, fileName, header);
    expect(uploaded.status).toBe(201);
    const { id } = uploaded.json;
    await service.upload("not a csv", { name: email }, fileName, header);
    await service.upload(csv, { name: token, target: column.toUpperCase() }, fileName, header);
    const run = await service.train(id, { mode: "light" });
    expect(run.json.status).toBe("succeeded");
    const predict = `/artifacts/${run.json.artifactId}/predictions`;
    await service.call("POST", predict, { rows: [{ [column]: value, n: email }] }, header);
    await service.call("POST", predict, { rows: [{ [column]: value, n: 1 }] }, header);
    for (const path of [
      `/datasets/${uuid}`,
      `/datasets/${encodeURIComponent(email)}`,
      `/datasets?cursor=${token}&limit=${email}`,
      `/training-runs?datasetId=${uuid}&status=${value}`,
      `/training-runs/${uuid}/events`,
      `/artifacts/${uuid}/content`,
      `/${fileName}`,
      `/api/${token}/${email}`,
    ])
      await service.call("GET", path, undefined, header);
    await service.call("POST", "/training-runs", { datasetId: uuid, mode: email, [token]: value }, header);
    await service.call("POST", "/training-runs", `{"broken ${email}`, {
      ...header,
      "content-type": "application/json",
    });
    await service.call("DELETE", `/datasets/${id}`, undefined, { ...header, "x-http-method-override": value });
    await service.call("PATCH", `/artifacts/${run.json.artifactId}`, { pinned: email }, header);

    const { text } = await service.call("GET", "/metrics");
    expect(text).toContain("mlops_backend_dataset_uploads_total");
    const parts = [...Object.values(secrets), "lovelace", "7781234", "sk-live", id, run.json.id, run.json.artifactId];
    expect(parts.filter((part) => text.toLowerCase().includes(String(part).toLowerCase()))).toEqual([]);
  } finally {
    await service.stop();
  }
});
