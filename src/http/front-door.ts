import type { Express } from "express";
import { methodNotAllowed } from "./method-not-allowed.ts";
import { pathOf, relativeAddress } from "./relative-address.ts";

/** Mounts `/`: browsers are led to the page of the API, everybody else is told what there is. */
export function mountFrontDoor(
  app: Express,
  about: { readonly version: string; readonly role: string },
  addresses: Readonly<Record<string, string>>,
): void {
  const { docs } = addresses;
  app.get("/", (request, response) => {
    // Another page may stand here one day.
    response.setHeader("Cache-Control", "no-cache");
    const links = Object.entries(addresses).map(([name, path]) => [name, relativeAddress(pathOf(request), path)]);
    const tell = (): void => void response.json({ name: "mlops-backend", ...about, ...Object.fromEntries(links) });
    if (docs === undefined) return tell();
    // The first is for whoever takes anything, as curl does.
    response.format({
      json: tell,
      html: () => response.redirect(302, relativeAddress(pathOf(request), docs)),
      default: tell,
    });
  });
  app.all("/", methodNotAllowed(["get"]));
}
