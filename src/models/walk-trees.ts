import type { XgboostTreeBooster } from "./model.ts";

/** All trees of a model in a few arrays: walked in 0.6 of the time that the lists of its file take (docs/performance.md), and small. */
interface WalkedTrees {
  /** Features that are split by, in the order of a row's cells. */
  readonly features: Int32Array;
  /** By tree, its first node. */
  readonly roots: Int32Array;
  /** By node: which cell it asks for. */
  readonly cells: Int32Array;
  /** What goes left is below; of a leaf, what it says. */
  readonly values: Float32Array;
  /** The left side; the right one is behind it. A leaf leads to itself. */
  readonly lefts: Int32Array;
  readonly missingGoesRight: Uint8Array;
}

type Trees = XgboostTreeBooster["model"];

/** Rows of one block: their cells stay in a core's nearest caches while all trees pass over them. */
const BLOCK_ROWS = 256;

/** Made once for each model: a prediction of few rows would take longer to lay them out than to walk them. */
const laidOut = new WeakMap<Trees, WalkedTrees>();

function walkedTreesOf(model: Trees): WalkedTrees {
  const known = laidOut.get(model);
  if (known !== undefined) return known;
  const made = layOut(model);
  laidOut.set(model, made);
  return made;
}

function layOut({ trees }: Trees): WalkedTrees {
  const nodeCount = trees.reduce((sum, { left_children }) => sum + left_children.length, 0);
  const cellOf = new Map<number, number>();
  const roots = new Int32Array(trees.length);
  const cells = new Int32Array(nodeCount);
  const values = new Float32Array(nodeCount);
  const lefts = new Int32Array(nodeCount);
  const missingGoesRight = new Uint8Array(nodeCount);
  let next = 0;
  for (const [id, tree] of trees.entries()) {
    // Level by level: both sides of a node are neighbours.
    const inOrder = [0];
    const first = next;
    roots[id] = first;
    for (let at = 0; at < inOrder.length; at++) {
      const node = inOrder[at]!;
      const place = first + at;
      const left = tree.left_children[node]!;
      values[place] = tree.split_conditions[node]!;
      lefts[place] = left < 0 ? place : first + inOrder.length;
      if (left < 0) continue;
      const feature = tree.split_indices[node]!;
      if (!cellOf.has(feature)) cellOf.set(feature, cellOf.size);
      cells[place] = cellOf.get(feature)!;
      missingGoesRight[place] = 1 - tree.default_left[node]!;
      inOrder.push(left, tree.right_children[node]!);
    }
    next += inOrder.length;
  }
  return { features: Int32Array.from(cellOf.keys()), roots, cells, values, lefts, missingGoesRight };
}

/** Rows as trees ask for them: of each the values of the features that are split by, one after the other. */
export interface TreeRows {
  readonly count: number;
  readonly cells: Float32Array;
}

/** The first rows of a model's own features. */
export function treeRowsOf(model: Trees, columns: readonly Float32Array[], count: number): TreeRows {
  const rows = { count, cells: new Float32Array(count * walkedTreesOf(model).features.length) };
  fillRows(rows, model, columns, 0);
  return rows;
}

function fillRows({ count, cells }: TreeRows, model: Trees, columns: readonly Float32Array[], from: number): void {
  const { features } = walkedTreesOf(model);
  for (const [cell, feature] of features.entries()) {
    const column = columns[feature]!;
    for (let row = 0; row < count; row++) cells[row * features.length + cell] = column[from + row]!;
  }
}

/** Puts other values of a feature into rows, one for each; nothing where no tree splits by it. */
export function setTreeCells(
  { count, cells }: TreeRows,
  model: Trees,
  feature: number,
  valueIn: (row: number) => number,
): void {
  const { features } = walkedTreesOf(model);
  const cell = features.indexOf(feature);
  if (cell >= 0) for (let row = 0; row < count; row++) cells[row * features.length + cell] = valueIn(row);
}

/** Where the answers of trees are added. */
export interface TreeSums {
  /** Of row r for output k at `r * outputs + k`. */
  readonly margins: Float32Array | Float64Array;
  readonly outputs: number;
  /** −1 takes them away. */
  readonly sign: 1 | -1;
}

/**
 * Adds what some trees say of rows.
 * @param ids of the trees, in whose order is added
 */
export function addTrees(model: Trees, ids: Iterable<number>, rows: TreeRows, sums: TreeSums): void {
  for (const id of ids) addTree(model, id, rows, 0, sums);
}

/** Without a branch that a processor would have to guess: which side it is, is a number that is added. */
function addTree(
  model: Trees,
  id: number,
  rows: TreeRows,
  firstRow: number,
  { margins, outputs, sign }: TreeSums,
): void {
  const { features, roots, cells: cellOf, values, lefts, missingGoesRight } = walkedTreesOf(model);
  const { count, cells } = rows;
  const width = features.length;
  const root = roots[id]!;
  let at = firstRow * outputs + model.tree_info[id]!;
  for (let row = 0; row < count; row++) {
    const base = row * width;
    let node = root;
    let left = lefts[node]!;
    while (left !== node) {
      const value = cells[base + cellOf[node]!]!;
      node = left + (Number(value >= values[node]!) | (Number(Number.isNaN(value)) & missingGoesRight[node]!));
      left = lefts[node]!;
    }
    margins[at]! += sign * values[node]!;
    at += outputs;
  }
}

/** Adds what all trees say of all rows, block by block. */
export function addAllTrees(model: Trees, columns: readonly Float32Array[], rowCount: number, sums: TreeSums): void {
  const rows = {
    count: 0,
    cells: new Float32Array(Math.min(rowCount, BLOCK_ROWS) * walkedTreesOf(model).features.length),
  };
  for (let from = 0; from < rowCount; from += BLOCK_ROWS) {
    const block = { ...rows, count: Math.min(BLOCK_ROWS, rowCount - from) };
    fillRows(block, model, columns, from);
    for (let id = 0; id < model.trees.length; id++) addTree(model, id, block, from, sums);
  }
}
