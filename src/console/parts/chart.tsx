import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useSpeech } from "../texts/language.tsx";
import type { Formats } from "../words/formats.ts";

/** A line of a chart. */
export interface ChartLine {
  readonly label: string;
  readonly values: readonly number[];
  /** Beside which the others are read; it is dashed. */
  readonly isGuide?: boolean;
}

interface ChartProps {
  readonly label: string;
  readonly x: { readonly label: string; readonly values: readonly number[] };
  /** What the axis upwards is called. */
  readonly y: string;
  readonly lines: readonly ChartLine[];
}

const heightPx = 260;

/**
 * Lines in the square from 0 to 1, with values where the pointer is. It is an image for who can't see it: the figures stand in a
 * table beside it. Loaded with the library, where a chart is shown.
 */
export function Chart({ label, x, y, lines }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme();
  const { formats } = useSpeech();
  // The canvas has its colours for good, so that it is drawn anew with other ones.
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const options = optionsOf({ label, x, y, lines }, { formats, element });
    const chart = new uPlot(options, [[...x.values], ...lines.map(({ values }) => [...values])], element);
    const sizes = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: heightPx }));
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      chart.destroy();
    };
  }, [label, x, y, lines, formats, scheme]);
  return <div ref={place} className="chart" role="img" aria-label={label} />;
}

function optionsOf(
  { x, y, lines }: ChartProps,
  { formats, element }: { formats: Formats; element: HTMLElement },
): uPlot.Options {
  const colours = getComputedStyle(element);
  const [ink, faint, main] = ["--quiet", "--line", "--mantine-color-blue-6"].map((name) =>
    colours.getPropertyValue(name),
  ) as [string, string, string];
  const axis = (of: string, size: number): uPlot.Axis => ({
    label: of,
    size,
    stroke: ink,
    font: `12px ${colours.fontFamily}`,
    labelFont: `12px ${colours.fontFamily}`,
    labelSize: 20,
    labelGap: 0,
    grid: { stroke: faint, width: 1 },
    ticks: { show: false },
    values: (_, splits) => splits.map(formats.measured),
  });
  const value = (_: uPlot, each: number | null): string => (each === null ? "" : formats.measured(each));
  return {
    width: element.clientWidth,
    height: heightPx,
    scales: { x: { time: false, range: [0, 1] }, y: { range: [0, 1] } },
    axes: [axis(x.label, 28), axis(y, 40)],
    cursor: { drag: { x: false, y: false } },
    series: [
      { label: x.label, value },
      ...lines.map(({ label, isGuide = false }) => ({
        label,
        value,
        stroke: isGuide ? ink : main,
        width: isGuide ? 1 : 2,
        points: { show: false },
        ...(isGuide && { dash: [4, 4] }),
      })),
    ],
  };
}
