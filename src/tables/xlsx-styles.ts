import { builtInKind, kindOfFormat, type NumberKind } from "./xlsx-number-format.ts";
import { damaged, type XlsxPackage } from "./xlsx-package.ts";
import { parseXml, smallPart } from "./xlsx-xml.ts";

/** Excel has 65,490 of cells («Excel specifications and limits»), and fewer of numbers. */
const maxFormats = 65_536;

/** What numbers are in cells of each style, by its place in the part's `cellXfs`. */
export type NumberKinds = readonly NumberKind[];

/**
 * Reads which styles of cells are those of dates (ECMA-376 part 1, 18.8.10 `cellXfs`, 18.8.31 `numFmts`).
 * @throws DomainError NOT_CSV, DATASET_TOO_LARGE
 */
export async function readStyles(xlsx: XlsxPackage, name: string): Promise<NumberKinds> {
  const ownFormats = new Map<number, NumberKind>();
  const formatIds: number[] = [];
  let isCellStyles = false;
  await parseXml(xlsx, name, smallPart, {
    open(element, attributes) {
      if (element === "cellXfs") isCellStyles = true;
      // Other `xf` stand in `cellStyleXfs`, and other `numFmt` in `dxfs`: with the same number they mean the same.
      else if (element === "xf" && isCellStyles) formatIds.push(Number(attributes.numFmtId ?? 0));
      else if (element === "numFmt")
        ownFormats.set(Number(attributes.numFmtId), kindOfFormat(attributes.formatCode ?? ""));
      if (formatIds.length > maxFormats || ownFormats.size > maxFormats)
        throw damaged(`it has more than ${maxFormats} styles`);
    },
    close(element) {
      if (element === "cellXfs") isCellStyles = false;
    },
  });
  return formatIds.map((id) => ownFormats.get(id) ?? builtInKind(id));
}
