import { hostname } from "node:os";

/** The only resource attributes that leave this process: detectors would add command-line arguments, owner and pid. */
export const allowedResource = [
  "service.name",
  "service.namespace",
  "service.version",
  "service.instance.id",
  "deployment.environment.name",
];
/** What an attribute was called before (semantic conventions 1.27). */
const formerNames: Readonly<Record<string, string>> = { "deployment.environment": "deployment.environment.name" };

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone % is the text itself; refusing to start over a label would be worse.
  }
}

/** What OTEL_RESOURCE_ATTRIBUTES says, by today's names, and the names of what is not allowed to leave, or is no pair. */
export function readResource(env: NodeJS.ProcessEnv): { given: ReadonlyMap<string, string>; leftOut: string[] } {
  const given = new Map<string, string>();
  const former = new Map<string, string>();
  const leftOut: string[] = [];
  for (const pair of (env.OTEL_RESOURCE_ATTRIBUTES ?? "").split(",")) {
    const [name = "", ...value] = pair.split("=");
    const key = decoded(name.trim());
    const today = formerNames[key];
    if (pair.trim() === "") continue;
    if (value.length > 0 && today !== undefined) former.set(today, decoded(value.join("=").trim()));
    else if (value.length > 0 && allowedResource.includes(key)) given.set(key, decoded(value.join("=").trim()));
    else leftOut.push(key);
  }
  return { given: new Map([...former, ...given]), leftOut };
}

/** OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME, cut to the allow-list. */
export function resourceAttributes(env: NodeJS.ProcessEnv, version: string): Record<string, string> {
  const { given } = readResource(env);
  const defaults: Record<string, string | undefined> = {
    "service.name": env.OTEL_SERVICE_NAME || given.get("service.name") || "mlops-backend",
    "service.version": version,
    "service.instance.id": `${hostname()}:${process.pid}`,
  };
  const attributes: Record<string, string> = {};
  for (const name of allowedResource) {
    const value = name === "service.name" ? defaults[name] : (given.get(name) ?? defaults[name]);
    if (value !== undefined && value !== "") attributes[name] = value;
  }
  return attributes;
}
