/** OpenMetrics 1.0, or the text format 0.0.4 that everything reads. */
export type Format = "openmetrics" | "text";

/** What each format is sent as. */
export const contentTypes: Readonly<Record<Format, string>> = {
  // The format's own content type; we write underscores only, and say so (Prometheus 3.16).
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
  text: "text/plain; version=0.0.4; charset=utf-8",
};

/**
 * Which format an Accept header prefers (RFC 9110, section 12.5.1): the highest q, OpenMetrics where they are equal;
 * the text format when it names neither, since a scrape with a wrong header is better served than refused.
 */
export function chooseFormat(accept: string | undefined): Format {
  let best: { format: Format; quality: number } = { format: "text", quality: 0 };
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const parameter = (name: string) =>
      parameters
        .find((each) => each.startsWith(`${name}=`))
        ?.slice(name.length + 1)
        .replace(/^"|"$/g, "");
    const version = parameter("version");
    const q = parameter("q") ?? "1";
    // "", "high" and 7 are no weights: such a range counts for nothing.
    if (!/^(0(\.\d*)?|1(\.0*)?)$/.test(q)) continue;
    const quality = Number(q);
    let format: Format;
    if (type === "application/openmetrics-text" && (version === undefined || version === "1.0.0"))
      format = "openmetrics";
    else if (type === "text/plain" && (version === undefined || version === "0.0.4")) format = "text";
    else if (type === "*/*" || type === "text/*") format = "text";
    else continue;
    const isBetter = quality > best.quality || (quality === best.quality && quality > 0 && format === "openmetrics");
    if (isBetter) best = { format, quality };
  }
  return best.format;
}
