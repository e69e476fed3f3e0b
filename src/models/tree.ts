/** A tree in flat arrays, node 0 the root; `feature` is -1 at a leaf, whose value stands in `threshold`. */
export interface Tree {
  readonly feature: number[];
  /** A value below it goes left. */
  readonly threshold: number[];
  readonly left: number[];
  readonly right: number[];
  readonly parent: number[];
  readonly missingGoesLeft: number[];
  readonly gain: number[];
  readonly weight: number[];
  readonly hessian: number[];
}

/** A tree without a node. */
export function emptyTree(): Tree {
  return {
    feature: [],
    threshold: [],
    left: [],
    right: [],
    parent: [],
    missingGoesLeft: [],
    gain: [],
    weight: [],
    hessian: [],
  };
}

/** Adds a leaf of value 0; answers its number. */
export function addNode(tree: Tree, parent: number): number {
  for (const field of [tree.threshold, tree.missingGoesLeft, tree.gain, tree.weight, tree.hessian]) field.push(0);
  tree.left.push(-1);
  tree.right.push(-1);
  tree.parent.push(parent);
  return tree.feature.push(-1) - 1;
}
