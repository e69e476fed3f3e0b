import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { authenticate } from "../../../src/auth/api-keys.ts";
import { DomainError } from "../../../src/errors.ts";
import { type Config, readConfig } from "../../../src/settings/config.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Who that is for the service, or the code of the refusal. */
function whoIs(config: Config, headers: IncomingHttpHeaders): string {
  const locals: { owner?: string } = {};
  try {
    let isNext = false;
    authenticate(config)({ headers } as never, { locals } as never, () => {
      isNext = true;
    });
    expect(isNext).toBe(true);
    return `owner ${locals.owner}`;
  } catch (error) {
    expect(locals).toEqual({});
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

const ownerName = fc.stringMatching(/^[A-Za-z0-9_.-]{1,12}$/);
// RFC 6750's b64token, which a key is sent as.
const key = fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,20}=?$/);
const keyRing = fc.uniqueArray(fc.record({ owner: ownerName, key }), {
  selector: (entry) => entry.key,
  minLength: 1,
  maxLength: 5,
});

function configOf(ring: readonly { owner: string; key: string }[]): Config {
  return readConfig({ API_KEYS: ring.map((entry) => `${entry.owner}:${sha256(entry.key)}`).join(", ") });
}

describe("with keys", () => {
  test("each key is its owner's, also when an owner has several", () => {
    const scheme = fc.tuple(fc.constantFrom("Bearer", "bearer", "BEARER"), fc.constantFrom(" ", "   "));
    fc.assert(
      fc.property(keyRing, scheme, (ring, [word, blanks]) => {
        const config = configOf(ring);
        for (const entry of ring)
          expect(whoIs(config, { authorization: `${word}${blanks}${entry.key}` })).toBe(`owner ${entry.owner}`);
      }),
    );
  });

  test("nothing near a key opens: a part of it, more than it, its hash, its entry, its owner", () => {
    fc.assert(
      fc.property(keyRing, fc.nat(), fc.string({ minLength: 1 }), (ring, place, more) => {
        const config = configOf(ring);
        const { owner, key: right } = ring[place % ring.length]!;
        const hash = sha256(right);
        const near = [
          right.slice(1),
          right.slice(0, -1),
          right + more,
          more + right,
          hash,
          `${owner}:${hash}`,
          owner,
          "",
        ];
        for (const wrong of near.filter((text) => !ring.some((entry) => entry.key === text.trim())))
          expect(whoIs(config, { authorization: `Bearer ${wrong}` })).toBe("UNAUTHORIZED");
        for (const header of [
          right,
          `Basic ${right}`,
          `Bearer${right}`,
          `Bearer ${right} ${right}`,
          ` Bearer ${right}`,
        ])
          expect(whoIs(config, { authorization: header })).toBe("UNAUTHORIZED");
      }),
    );
  });

  test("a host that is allowed without keys opens nothing", () => {
    expect(whoIs(configOf([{ owner: "anna", key: "k" }]), { host: "localhost" })).toBe("UNAUTHORIZED");
  });
});

describe("without keys", () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
  const hosts = fc.uniqueArray(
    fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join(".")),
    {
      minLength: 1,
      maxLength: 4,
    },
  );
  const port = fc.option(fc.nat({ max: 65_535 }), { nil: undefined });
  const withPort = (host: string, number: number | undefined) => (number === undefined ? host : `${host}:${number}`);
  const openTo = (names: readonly string[]) => readConfig({ AUTH__ALLOWED_HOSTS: names.join(",") });

  test("the hosts on the list are let in as one owner, on any port, in any case", () => {
    fc.assert(
      fc.property(hosts, port, port, fc.nat(), (names, hostPort, originPort, place) => {
        const name = names[place % names.length]!;
        const config = openTo(names);
        const host = withPort(name.toUpperCase(), hostPort);
        expect(whoIs(config, { host })).toBe("owner local");
        for (const scheme of ["http", "https"])
          expect(whoIs(config, { host, origin: `${scheme}://${withPort(name, originPort)}` })).toBe("owner local");
      }),
    );
  });

  test("no other host or origin is, however like one on the list it looks", () => {
    fc.assert(
      fc.property(hosts, label, (names, other) => {
        fc.pre(!names.includes(other));
        const config = openTo(names);
        const [name = ""] = names;
        const foreign = [
          other,
          `${name}.${other}`,
          `${other}-${name}`,
          `${other}:80@${name}`,
          `${name}@${other}`,
          `${name}:80:80`,
          `${name}/`,
          ` ${name}.`,
          "",
        ].filter((host) => !names.includes(host));
        for (const host of foreign) expect(whoIs(config, { host })).toBe("HOST_NOT_ALLOWED");
        for (const host of foreign.slice(0, 3)) {
          expect(whoIs(config, { host: name, origin: `https://${host}` })).toBe("HOST_NOT_ALLOWED");
          expect(whoIs(config, { host: name, origin: `https://${name}@${host}` })).toBe("HOST_NOT_ALLOWED");
        }
        for (const origin of ["null", "", name, "file:///x"])
          expect(whoIs(config, { host: name, origin })).toBe("HOST_NOT_ALLOWED");
        expect(whoIs(config, { origin: `https://${name}` })).toBe("HOST_NOT_ALLOWED");
      }),
    );
  });

  test.each(["localhost", "localhost:8000", "127.0.0.1:1", "[::1]", "[::1]:8000"])("%s is this machine", (host) => {
    expect(whoIs(readConfig({}), { host, origin: `http://${host}` })).toBe("owner local");
  });
});
