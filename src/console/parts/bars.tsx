import type { Bar } from "../words/quality.ts";
import { shownName } from "../words/shown-name.ts";

/** Bars beside each other, with their names and values; a reader of the page hears the list. */
export function Bars({
  bars,
  shown,
  label,
}: {
  bars: readonly Bar[];
  shown: (value: number) => string;
  label: string;
}) {
  return (
    <ul className="bars" aria-label={label}>
      {bars.map(({ name, value, length }) => (
        <li key={name}>
          <span className="bar-name" title={shownName(name)}>
            {shownName(name)}
          </span>
          <span className="bar-track" aria-hidden="true">
            <span className="bar" style={{ width: `${length * 100}%` }} />
          </span>
          <span className="bar-value">{shown(value)}</span>
        </li>
      ))}
    </ul>
  );
}
