import type { InputFeature, Model } from "../api/answers.ts";

type Cell = number | string | boolean | null;
/** A row as a prediction takes it. */
export type FormRow = Readonly<Record<string, Cell>>;
/** What stands in the fields of the form, by the columns' names; empty is «missing». */
export type FormTexts = Readonly<Record<string, string>>;

/** The texts that the form opens with: the example that the model gives. Numbers stand as the language writes them. */
export function textsOf({ features, example }: NonNullable<Model["input"]>, decimal: string): FormTexts {
  // fromEntries, since an assignment to a column called "__proto__" would be lost.
  return Object.fromEntries(
    features.map(({ name }) => {
      const cell = Object.hasOwn(example, name) ? (example[name] ?? null) : null;
      if (cell === null) return [name, ""];
      return [name, typeof cell === "number" ? String(cell).replace(".", decimal) : String(cell)];
    }),
  );
}

/**
 * A number as people write it: with a decimal point or comma, and blanks between thousands. What may be two numbers is
 * undefined, as what is none or too large for one is: several signs, and three digits behind the sign that is not this language's
 * decimal one (1,234 in English).
 */
export function readNumber(text: string, decimal: string): number | undefined {
  const plain = text.replaceAll(/[\s\u00a0\u202f]/g, "").replace("−", "-");
  if (!/^[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?$/i.test(plain)) return undefined;
  const sign = /^[+-]?[1-9]\d{0,2}([.,])\d{3}$/.exec(plain)?.[1];
  if (sign !== undefined && sign !== decimal) return undefined;
  const number = Number(plain.replace(",", "."));
  return Number.isFinite(number) ? number : undefined;
}

/** The row that the form's texts are, or the names of the columns whose text is no number. */
export function rowOf(
  features: readonly InputFeature[],
  texts: FormTexts,
  decimal: string,
): { readonly row: FormRow; readonly faulty: readonly string[] } {
  const faulty: string[] = [];
  const cells = features.map((feature): [string, Cell] => {
    const text = Object.hasOwn(texts, feature.name) ? texts[feature.name]!.trim() : "";
    if (text === "") return [feature.name, null];
    if (feature.type === "boolean") return [feature.name, text === "true"];
    if (feature.type !== "number") return [feature.name, text];
    const number = readNumber(text, decimal);
    if (number === undefined) faulty.push(feature.name);
    return [feature.name, number ?? null];
  });
  return { row: Object.fromEntries(cells), faulty };
}
