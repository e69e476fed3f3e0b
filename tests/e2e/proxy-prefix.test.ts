import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium, watchPage } from "./headless-chromium.ts";
import { startNginx } from "./nginx-process.ts";
import { root, startService } from "./processes.ts";

const resources = new AsyncDisposableStack();
let proxyUrl = "";
let serviceUrl = "";

/** The block that docs/operations.md shows, for this service and, to tell `X-Forwarded-*`, for another prefix beside it. */
function locationsFor(url: string): string {
  const text = readFileSync(join(root, "docs/operations.md"), "utf8");
  const [, block = ""] = /```nginx\n(.*?)```/s.exec(text) ?? [];
  const mine = block.replace("http://127.0.0.1:8000/", `${url}/`);
  if (block === "" || mine === block) throw new Error("docs/operations.md shows no nginx before port 8000.");
  const forwarded = ["Prefix /a/b", "Proto https", "Host public.example", "For 203.0.113.9", "Port 443"].map(
    (header) => `proxy_set_header X-Forwarded-${header};`,
  );
  const other = mine.replace("/mlops/", "/a/b/").replace(/\}\s*$/, `${forwarded.join("\n")}\n}\n`);
  const unprefixed = mine.replace("/mlops/", "/").replace(`${url}/`, url);
  return `${mine}\n${other}\n${unprefixed}`;
}

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "mlops-backend-prefix-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const { service, url } = await startService(join(folder, "data"), { CONSOLE__ENABLED: "false" });
  resources.use(service);
  serviceUrl = url;
  proxyUrl = resources.use(await startNginx(locationsFor(url))).url;
});
afterAll(() => resources.disposeAsync());

const prefixes = ["/mlops", "/a/b", ""];

test.each(prefixes)("behind a proxy that strips «%s», every address of an answer leads on", async (prefix) => {
  const base = `${proxyUrl}${prefix}`;
  const post = (path: string, body: FormData | object): Promise<Response> =>
    fetch(`${base}/api/ml/v1${path}`, {
      method: "POST",
      ...(body instanceof FormData
        ? { body }
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
  // Resolved as RFC 9110, 10.2.2 says: against the address that was asked for.
  const follow = async (answer: Response): Promise<{ id: string }> => {
    const location = new URL(answer.headers.get("location") ?? "", answer.url);
    expect(location.href.startsWith(`${base}/api/ml/v1/`), location.href).toBe(true);
    const followed = await fetch(location);
    expect(followed.status).toBe(200);
    return (await followed.json()) as { id: string };
  };
  const form = new FormData();
  form.append("file", new Blob(["a,b,label\n1,2,x\n3,4,y\n5,6,x\n"]), "data.csv");
  form.append("name", `behind ${prefix}`);
  const uploaded = await post("/datasets/upload", form);
  const { id: datasetId } = (await uploaded.clone().json()) as { id: string };
  expect((await follow(uploaded)).id).toBe(datasetId);
  const submitted = await post("/training-runs", { datasetId, mode: "light" });
  const { id: runId } = (await submitted.clone().json()) as { id: string };
  expect((await follow(submitted)).id).toBe(runId);

  // The page's own methods, as a generated client would take them.
  const document = await fetch(`${base}/api/openapi.json`);
  const { servers, paths } = (await document.json()) as { servers: { url: string }[]; paths: Record<string, object> };
  const server = new URL(servers[0]?.url ?? "", document.url).href.replace(/\/$/, "");
  expect(server).toBe(base);
  const list = Object.keys(paths).find((path) => path.endsWith("/datasets"));
  expect((await fetch(`${server}${list}`)).status).toBe(200);

  const told = (await (await fetch(`${base}/`)).json()) as Record<string, string>;
  for (const name of ["docs", "openapi", "health"])
    expect((await fetch(new URL(told[name] ?? "", `${base}/`))).status, name).toBe(200);
  // Events are not held back by the proxy: the stream of a run that has ended closes by itself.
  const events = await (await fetch(`${base}/api/ml/v1/training-runs/${runId}/events`)).text();
  expect(events).toContain(runId);
});

test("the page of the API works behind the prefix, from its address with or without a last slash", async () => {
  const browser = resources.adopt(await launchChromium(), (each) => each.close());
  for (const path of ["/mlops", "/mlops/api/docs/", "/a/b/", "/"]) {
    const page = await browser.newPage();
    const seen = watchPage(page, proxyUrl);
    await page.goto(`${proxyUrl}${path}`, { waitUntil: "networkidle" });
    const prefix = /^(\/mlops|\/a\/b|)/.exec(path)?.[0] ?? "";
    expect(page.url()).toMatch(new RegExp(`^${proxyUrl}${prefix}/api/docs/?$`));
    const operation = page.locator(".opblock-get", { hasText: "List datasets" });
    await operation.locator(".opblock-summary-control").click();
    await operation.getByRole("button", { name: "Try it out" }).click();
    await operation.getByRole("button", { name: "Execute" }).click();
    // What it would send, and what came back: both by way of the proxy.
    await operation.locator(".live-responses-table .response-col_status").first().waitFor();
    expect(await operation.locator(".request-url").textContent()).toContain(`${proxyUrl}${prefix}/api/ml/v1/datasets`);
    await page.close();
    expect({ path, ...seen }).toEqual({ path, faults: [], elsewhere: [] });
  }
});

test("a redirect of the service itself holds no address of the service", async () => {
  const answer = await fetch(`${proxyUrl}/mlops/`, { headers: { accept: "text/html" }, redirect: "manual" });
  expect(answer.headers.get("location")).toBe("api/docs");
  expect(JSON.stringify([...answer.headers])).not.toContain(new URL(serviceUrl).host);
});
