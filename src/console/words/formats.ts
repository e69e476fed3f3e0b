/** Languages that the console speaks. */
export const languages = ["en", "ru"] as const;
export type Language = (typeof languages)[number];

/** Numbers, dates and sizes as a language writes them. */
export interface Formats {
  readonly count: (value: number) => string;
  /** A measured value to four digits, at most: more of them would claim what nobody knows. */
  readonly measured: (value: number) => string;
  /** A value of a table or a prediction, as exactly as it is. */
  readonly value: (value: number) => string;
  /** A share of 1, in per cent. */
  readonly percent: (share: number, digits?: number) => string;
  /** A measured value with its sign, as of a difference. */
  readonly signed: (value: number) => string;
  readonly signedPercent: (share: number) => string;
  readonly size: (bytes: number) => string;
  readonly moment: (iso: string) => string;
  readonly ago: (iso: string, nowMs: number) => string;
  readonly duration: (seconds: number) => string;
  /** The form of a word that goes with a count. */
  readonly plural: (count: number) => Intl.LDMLPluralRule;
}

const sizeUnits = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
const agoUnits = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/**
 * Formats of a language; made once, since each of Intl's parts takes a while to make.
 * @param locale a language, or one of its regions: days stand before months in some
 */
export function createFormats(locale: string): Formats {
  const numbers = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options);
  const [count, measured, value] = [
    numbers({}),
    numbers({ maximumSignificantDigits: 4 }),
    numbers({ maximumSignificantDigits: 15 }),
  ];
  const percents = [0, 1, 2].map((digits) => numbers({ style: "percent", maximumFractionDigits: digits }));
  const sign = { signDisplay: "exceptZero" } as const;
  const signed = numbers({ maximumSignificantDigits: 4, ...sign });
  const signedPercent = numbers({ style: "percent", maximumFractionDigits: 1, ...sign });
  const sizes = sizeUnits.map((unit) =>
    numbers({ style: "unit", unit, unitDisplay: unit === "byte" ? "long" : "short", maximumSignificantDigits: 3 }),
  );
  const units = (unit: string) => numbers({ style: "unit", unit, unitDisplay: "short", maximumSignificantDigits: 3 });
  const [seconds, minutes, hours] = [units("second"), units("minute"), units("hour")];
  const moments = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const plurals = new Intl.PluralRules(locale);

  return {
    count: (each) => count.format(each),
    measured: (each) => measured.format(each),
    value: (each) => value.format(each),
    percent: (share, digits = 0) => percents[digits]!.format(share),
    signed: (each) => signed.format(each),
    signedPercent: (share) => signedPercent.format(share),
    size(bytes) {
      const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), sizeUnits.length - 1);
      return sizes[step]!.format(bytes / 1000 ** step);
    },
    moment: (iso) => moments.format(new Date(iso)),
    ago(iso, nowMs) {
      const secondsAgo = (nowMs - Date.parse(iso)) / 1000;
      const [unit, length] = agoUnits.find(([, least]) => Math.abs(secondsAgo) >= least) ?? ["second", 1];
      return relative.format(Math.round(-secondsAgo / length), unit);
    },
    duration(all) {
      if (all < 60) return seconds!.format(all < 10 ? Number(all.toFixed(1)) : Math.round(all));
      return all < 3600 ? minutes!.format(all / 60) : hours!.format(all / 3600);
    },
    plural: (each) => plurals.select(each),
  };
}
