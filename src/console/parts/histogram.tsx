import { useSpeech } from "../texts/language.tsx";
import type { Bin } from "../words/profile.ts";

/** How values are spread, as bars from the least to the greatest; who hears the page is told where most are. */
export function Histogram({ name, bins }: { name: string; bins: readonly Bin[] }) {
  const { texts, formats } = useSpeech();
  const { dataset: words } = texts;
  const shown = (edge: Bin["from"]): string => (typeof edge === "number" ? formats.measured(edge) : edge);
  const said = ({ from, to, count }: Bin): string => words.bin(shown(from), shown(to), formats.count(count));
  const [least, most] = [bins[0], bins.at(-1)];
  const fullest = bins.toSorted((one, other) => other.count - one.count)[0];
  if (least === undefined || most === undefined || fullest === undefined) return null;
  return (
    <div role="img" aria-label={words.histogramOf(name, shown(least.from), shown(most.to), said(fullest))}>
      <div className="histogram">
        {bins.map((bin, place) => (
          <span key={place} className="bin" title={said(bin)}>
            <span style={{ height: `${bin.height * 100}%` }} />
          </span>
        ))}
      </div>
      <div className="histogram-ends">
        <span>{shown(least.from)}</span>
        <span>{shown(most.to)}</span>
      </div>
    </div>
  );
}
