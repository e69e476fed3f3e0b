import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const root = join(import.meta.dirname, "../../..");
/** What one of the repository's YAML files holds. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the file holds; expectations say what it should be
export const yaml = (path: string): any => parse(readFileSync(join(root, path), "utf8"), { merge: true });

export const monitoring = "infra/monitoring";
/** Of docker-compose.yml. */
export const services = yaml("docker-compose.yml").services;

/** Every value under one of these keys, however deep. */
export function valuesOf(value: unknown, keys: ReadonlySet<string>): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [...(keys.has(key) ? [inner] : []), ...valuesOf(inner, keys)]);
}
