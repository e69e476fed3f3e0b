/** A name of the environment that is none of ours, and the one of ours that it was probably meant to be. */
export interface MisspeltName {
  readonly name: string;
  readonly meant: string;
}

/** Families that platforms, and not people, fill: whatever they are near to, they are never refused. */
const platformFamilies = /^(OTEL|AWS|NODE|npm|GITHUB|CI|KUBERNETES|HEROKU|DOCKER|COMPOSE)_|^PG[A-Z]+$/;
/** What Kubernetes, as Docker's links before it, sets for each service of a namespace, whatever it is called. */
const serviceLink = /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$/;
/** Alone they are the platform's: where it wants to be listened to. */
const placesOfPlatforms: Readonly<Record<string, string>> = { PORT: "SERVICE_PORT", HOST: "SERVICE_HOST" };

/** Whether Kubernetes says with it where a service is. */
export function isServiceLink(name: string, value: string): boolean {
  return serviceLink.test(name) || (name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(value));
}

/** Letters that are wrong, missing, too many or in their neighbour's place (optimal string alignment). */
function lettersApart(one: string, other: string): number {
  let [before, last] = [[] as number[], [...Array(other.length + 1).keys()]];
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      let least = Math.min(last[column - 1]! + (isSame ? 0 : 1), last[column]! + 1, current[column - 1]! + 1);
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (row > 1 && column > 1 && isSwapped) least = Math.min(least, before[column - 2]! + 1);
      current.push(least);
    }
    [before, last] = [last, current];
  }
  return last[other.length]!;
}

/** In short names two letters make another word: DATA_DIR and DATE_DIR are one apart. */
const mostLettersApart = (ours: string): number => (ours.length < 10 ? 1 : 2);

function isWithoutAWord(name: string, ours: string): boolean {
  const [words, all] = [name.split(/_+/), ours.split(/_+/)];
  // A single word is anybody's.
  if (words.length < 2 || words.length !== all.length - 1) return false;
  return all.some((_word, left) => all.toSpliced(left, 1).join("_") === words.join("_"));
}

const squashed = (name: string): string => name.replaceAll("_", "");

/** The one of `ours` that a name was meant to be, if it looks like one: by its letters first, then by its words. */
function meantBy(name: string, ours: readonly string[]): string | undefined {
  const upper = name.toUpperCase();
  const together = squashed(upper);
  let nearest: { meant: string; apart: number } | undefined;
  for (const meant of ours) {
    if (squashed(meant) === together) return meant;
    const most = mostLettersApart(meant);
    if (Math.abs(meant.length - upper.length) > most) continue;
    const apart = lettersApart(upper, meant);
    if (apart <= most && apart < (nearest?.apart ?? Number.POSITIVE_INFINITY)) nearest = { meant, apart };
  }
  return nearest?.meant ?? ours.find((meant) => isWithoutAWord(upper, meant));
}

/**
 * The names of an environment that are not `ours` and look as if they were meant to be: misspelt, or with a word left out.
 * `refused` were written by somebody who wants something that would not happen; `told` may be the platform's own.
 */
export function findMisspelt(
  env: Readonly<Record<string, string | undefined>>,
  ours: readonly string[],
): { refused: MisspeltName[]; told: MisspeltName[] } {
  const known = new Set(ours);
  const [refused, told]: [MisspeltName[], MisspeltName[]] = [[], []];
  for (const [name, value = ""] of Object.entries(env)) {
    if (known.has(name) || value === "" || isServiceLink(name, value)) continue;
    const place = placesOfPlatforms[name];
    const meant = place ?? meantBy(name, ours);
    // Who sets both to the same has understood: SERVICE_PORT=$PORT.
    if (meant === undefined || (place !== undefined && env[place] === value)) continue;
    // SSL_CERT is not only ours without its family: DATABASE__SSL_CERT.
    const isWithoutFamily = meant.endsWith(`__${name}`);
    if (place !== undefined || isWithoutFamily || platformFamilies.test(name)) told.push({ name, meant });
    else refused.push({ name, meant });
  }
  return { refused, told };
}
