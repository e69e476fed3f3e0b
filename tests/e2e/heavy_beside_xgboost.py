"""Python's xgboost grows the trees that our parameters of its names grow, and predicts as well where it draws others.

Usage: node tests/e2e/heavy-export.ts OUT && python tests/e2e/heavy_beside_xgboost.py OUT
Needs: pip install xgboost-cpu numpy
"""

import json
import pathlib
import sys

import numpy
import xgboost

TOLERANCE = 1e-5
# Of what is drawn; by other rows and features the error is another one.
QUALITY = 0.06
NAMES = {
    "maxDepth": "max_depth",
    "learningRate": "eta",
    "minChildWeight": "min_child_weight",
    "colsampleByTree": "colsample_bytree",
    "maxBins": "max_bin",
    "scalePosWeight": "scale_pos_weight",
    "quantileAlpha": "quantile_alpha",
}
OBJECTIVES = {"squared": "reg:squarederror", "logistic": "binary:logistic", "softmax": "multi:softprob"}


def matrix(table: dict, weights: list | None = None) -> xgboost.DMatrix:
    columns = numpy.array(table["columns"], dtype=numpy.float32).T
    return xgboost.DMatrix(columns, label=numpy.array(table["target"]), weight=weights)


def fit(case: dict) -> xgboost.Booster:
    parameters = {NAMES.get(name, name): value for name, value in case["parameters"].items() if name != "rounds"}
    parameters = {"objective": OBJECTIVES[case["loss"]], "eta": 0.1, "tree_method": "hist", "seed": 1} | parameters
    if case["loss"] == "softmax":
        parameters["num_class"] = case["outputs"]
    else:
        # xgboost starts a softmax from 0, ours from the classes' shares; of others its own start is checked by the trees.
        parameters["base_score"] = float(case["model"]["learner"]["learner_model_param"]["base_score"])
    if case.get("monotone"):
        parameters["monotone_constraints"] = tuple(case["monotone"])
    return xgboost.train(parameters, matrix(case["learnt"], case.get("weights")), case["parameters"].get("rounds", 100))


def error(case: dict, predictions: numpy.ndarray) -> float:
    target = numpy.array(case["asked"]["target"])
    if case["loss"] == "squared":
        return float(numpy.sqrt(numpy.mean((predictions - target) ** 2)))
    return float(-numpy.mean(numpy.log(predictions.reshape(len(target), -1)[numpy.arange(len(target)), target.astype(int)])))


def leaves(model: dict) -> list[list[float]]:
    trees = model["learner"]["gradient_booster"]["model"]["trees"]
    return [
        sorted(value for value, left in zip(tree["split_conditions"], tree["left_children"], strict=True) if left < 0)
        for tree in trees
    ]


def fault(case: dict) -> str | None:
    booster = fit(case)
    ours = numpy.array(case["predictions"])
    theirs = booster.predict(matrix(case["asked"])).astype(numpy.float64).ravel()
    if case["isDrawn"]:
        ratio = error(case, ours) / error(case, theirs)
        print(f"     {case['name']}: error {ratio:.3f} times xgboost's")
        return None if abs(ratio - 1) < QUALITY else f"error {ratio:.3f} times xgboost's"
    worst = float(numpy.max(numpy.abs(ours - theirs) / numpy.maximum(1, numpy.abs(theirs))))
    if worst > TOLERANCE:
        return f"predictions differ by {worst:.2e}"
    mine, other = leaves(case["model"]), leaves(json.loads(booster.save_raw("json")))
    for at, (one, another) in enumerate(zip(mine, other, strict=True)):
        if len(one) != len(another) or not numpy.allclose(one, another, rtol=TOLERANCE, atol=TOLERANCE):
            return f"tree {at} has the leaves {one}, not {another}"
    return None


def main() -> int:
    passed = failed = 0
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
        case = json.loads(path.read_text())
        found = fault(case)
        print(f"ok   {case['name']}" if found is None else f"FAIL {case['name']}: {found}")
        passed, failed = passed + (found is None), failed + (found is not None)
    print(f"xgboost {xgboost.__version__}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed > 0 and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
