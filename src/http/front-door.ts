import type { Express } from "express";
import { type ConsolePages, sendConsole } from "./console-pages.ts";
import { methodNotAllowed } from "./method-not-allowed.ts";
import { pathOf, relativeAddress } from "./relative-address.ts";

/**
 * Mounts `/`: browsers get the console, or are led to the page of the API where there is none; everybody else is told what
 * there is.
 */
export function mountFrontDoor(
  app: Express,
  about: { readonly version: string; readonly role: string },
  addresses: Readonly<Record<string, string>>,
  pages: ConsolePages | undefined,
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
      html: () =>
        pages === undefined
          ? response.redirect(302, relativeAddress(pathOf(request), docs))
          : sendConsole(request, response, pages),
      default: tell,
    });
  });
  app.all("/", methodNotAllowed(["get"]));
}
