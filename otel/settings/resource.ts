import { hostname } from "node:os";

/** The only resource attributes that leave this process: detectors would add command-line arguments, owner and pid. */
export const allowedResource = [
  "service.name",
  "service.namespace",
  "service.version",
  "service.instance.id",
  "deployment.environment.name",
];

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone % is the text itself; refusing to start over a label would be worse.
  }
}

/** OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME, cut to the allow-list. */
export function resourceAttributes(env: NodeJS.ProcessEnv, version: string): Record<string, string> {
  const given = new Map(
    (env.OTEL_RESOURCE_ATTRIBUTES ?? "")
      .split(",")
      .filter((pair) => pair.includes("="))
      .map((pair) => [pair.slice(0, pair.indexOf("=")).trim(), decoded(pair.slice(pair.indexOf("=") + 1).trim())]),
  );
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
