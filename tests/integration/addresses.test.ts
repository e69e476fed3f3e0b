import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, type RunningService, startService } from "../support/service.ts";

let service: RunningService;
beforeAll(async () => {
  // Whether the console is built is another thing on each machine: tests/e2e/console.test.ts builds it.
  service = await startService({ env: { CONSOLE__ENABLED: "false" } });
});
afterAll(() => service?.stop());

const ask = (path: string, accept: string, method = "GET") =>
  fetch(`${service.url}${path}`, { method, headers: { accept }, redirect: "manual" });

test("without the console the address of the ready line leads browsers to the page of the API, and tells the others what there is", async () => {
  const browser = await ask("/", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
  expect([browser.status, browser.headers.get("location")]).toEqual([302, "api/docs"]);
  for (const accept of ["*/*", "application/json", "application/xml"]) {
    const answer = await ask("/", accept);
    expect([answer.status, await answer.json()]).toEqual([
      200,
      {
        name: "mlops-backend",
        version: expect.any(String),
        role: "all",
        docs: "api/docs",
        openapi: "api/openapi.json",
        api: "api/ml/v1/",
        health: "api/health",
      },
    ]);
  }
  expect((await ask("/", "text/html", "HEAD")).status).toBe(302);
  expect((await ask("/", "*/*", "POST")).headers.get("allow")).toBe("GET, HEAD");
  const nowhere = await ask("/nowhere", "text/html");
  expect([nowhere.status, nowhere.headers.get("content-type")]).toEqual([
    404,
    "application/problem+json; charset=utf-8",
  ]);
  const answered = { http_route: "/", http_response_status_code: "200" };
  await eventually(async () => (await service.metric("http_server_request_duration_seconds_count", answered)) === 3);
});

test("nothing that the service sends holds an address from the root, which a proxy may have moved", async () => {
  const dataset = await service.upload("a,b,label\n1,2,x\n3,4,y\n5,6,x\n");
  for (const slash of ["", "/"]) {
    const run = await service.call("POST", `/training-runs${slash}`, { datasetId: dataset.json.id, mode: "light" });
    const location = run.headers.get("location") ?? "";
    expect(location).not.toMatch(/^\/|:/);
    expect(new URL(location, `${service.url}/api/ml/v1/training-runs${slash}`).pathname).toBe(
      `/api/ml/v1/training-runs/${run.json.id}`,
    );
    const page = `/api/docs${slash}`;
    const linked = [...(await (await ask(page, "text/html")).text()).matchAll(/(?:href|src)="([^"]+)"/g)];
    expect(linked).toHaveLength(4);
    for (const [, address = ""] of linked) {
      expect(address).not.toMatch(/^\/|:/);
      expect((await fetch(new URL(address, `${service.url}${page}`))).status, address).toBe(200);
    }
  }
  const { servers } = (await service.call("GET", "/api/openapi.json")).json;
  expect(servers).toEqual([{ url: "../" }]);
});

test("the Content-Security-Policy lets in nothing of others, and inline nothing but style attributes", async () => {
  const policy = (await ask("/api/docs", "text/html")).headers.get("content-security-policy") ?? "";
  expect(policy.split(";").map((directive) => directive.trim())).toEqual(
    expect.arrayContaining(["default-src 'self'", "font-src 'self'", "style-src 'self'", "script-src 'self'"]),
  );
  expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
  expect(policy.match(/[\w-]+ [^;]*'unsafe-inline'/g)).toEqual(["style-src-attr 'unsafe-inline'"]);
});
