"""Python's xgboost loads our models, predicts what we predict, and explains it by the same SHAP values.
The lines of docs/models.md take the table itself, and predict the same by the model with names.

Usage: node tests/e2e/xgboost-export.ts OUT && python tests/e2e/xgboost_predicts_the_same.py OUT
Needs: pip install xgboost-cpu numpy pandas
"""

import json
import os
import pathlib
import re
import sys
import warnings

import numpy
import xgboost

TOLERANCE = 1e-5
CONTRIBUTIONS_TOLERANCE = 1e-4
warnings.filterwarnings("ignore")


def contributions_difference(booster: xgboost.Booster, features: numpy.ndarray, expected: dict) -> float:
    """By column and output, of the size of the largest one: a target in 1e17 has contributions as large."""
    theirs = booster.predict(xgboost.DMatrix(features), pred_contribs=True).astype(numpy.float64)
    if theirs.ndim == 2:
        theirs = theirs[:, None, :]
    rows, outputs, _ = theirs.shape
    sources = numpy.array(expected["sources"])
    if expected["mode"] == "light":
        # xgboost counts from 0 and ours from the mean: what a feature adds at its mean is in our bias.
        weights = numpy.array(booster_weights(booster), dtype=numpy.float64).reshape(-1, outputs)[:-1]
        at_mean = (weights * numpy.array(expected["means"])[:, None]).T
        theirs[:, :, :-1] -= at_mean
        theirs[:, :, -1] += at_mean.sum(axis=1)
    by_column = numpy.stack(
        [theirs[:, :, :-1][:, :, sources == column].sum(axis=2) for column in range(sources.max() + 1)], axis=2
    )
    ours = numpy.array(expected["contributions"]["values"]).reshape(rows, outputs, -1)
    biases = numpy.array(expected["contributions"]["biases"])
    size = max(1, numpy.abs(by_column).max(), numpy.abs(biases).max())
    return float(max(numpy.abs(by_column - ours).max(), numpy.abs(theirs[:, :, -1] - biases).max()) / size)


def booster_weights(booster: xgboost.Booster) -> list:
    model = json.loads(booster.save_raw("json"))
    return model["learner"]["gradient_booster"]["model"]["weights"]


def differences(document_path: pathlib.Path) -> tuple[float, float]:
    document = json.loads(document_path.read_text())
    model_path = document_path.with_suffix(".xgboost.json")
    model_path.write_text(json.dumps(document["model"]))
    booster = xgboost.Booster()
    booster.load_model(str(model_path))
    expected = json.loads(pathlib.Path(str(document_path).replace(".document.", ".expected.")).read_text())
    features = numpy.array(expected["features"], dtype=numpy.float32)  # null becomes NaN
    ours = numpy.array(expected["predictions"], dtype=numpy.float64)
    theirs = booster.predict(xgboost.DMatrix(features)).astype(numpy.float64)
    if theirs.ndim == 1:
        theirs = theirs[:, None] if expected["task"] == "regression" else numpy.stack([1 - theirs, theirs], axis=1)
    if theirs.shape != ours.shape:
        raise ValueError(f"shape {theirs.shape}, not {ours.shape}")
    # A class's chance is compared as it stands, a number by its size: float32 has seven digits.
    size = numpy.maximum(1, numpy.abs(ours)) if expected["task"] == "regression" else 1
    of_predictions = float(numpy.max(numpy.abs(theirs - ours) / size))
    return of_predictions, contributions_difference(booster, features, expected)


def documented_lines() -> str:
    guide = (pathlib.Path(__file__).parents[2] / "docs" / "models.md").read_text()
    return re.search(r"```python\n(import json, numpy, pandas, xgboost\n.*?)```", guide, re.DOTALL).group(1)


def named_difference(folder: pathlib.Path) -> float:
    lines, before = documented_lines(), os.getcwd()
    os.chdir(folder)
    try:
        said: dict = {}
        exec(lines, said)
    finally:
        os.chdir(before)
    names = said["model"].feature_names
    for name in ("size", "isOpen", "at.month", "at.days", "city=city 1", "city=(other)", 'a (b) ‹ "c, d=x,y'):
        if name not in names:
            raise ValueError(f"{name} is none of {names}")
    ours = numpy.array(json.loads((folder / "expected.json").read_text()))
    theirs = said["answers"].astype(numpy.float64)
    if theirs.ndim == 1:
        theirs = theirs[:, None] if ours.shape[1] == 1 else numpy.stack([1 - theirs, theirs], axis=1)
    if theirs.shape != ours.shape:
        raise ValueError(f"shape {theirs.shape}, not {ours.shape}")
    return float(numpy.max(numpy.abs(theirs - ours) / numpy.maximum(1, numpy.abs(ours))))


def main() -> int:
    passed = failed = 0
    for folder in sorted(pathlib.Path(sys.argv[1]).glob("*.named")):
        try:
            worst = named_difference(folder)
        except Exception as error:
            print(f"FAIL {folder.name}: {error!r}")
            failed += 1
            continue
        same = worst <= TOLERANCE
        print(f"{'ok  ' if same else 'FAIL'} {folder.name}, by the guide's lines: worst difference {worst:.2e}")
        passed, failed = passed + same, failed + (not same)
    for document_path in sorted(pathlib.Path(sys.argv[1]).glob("*.document.json")):
        name = document_path.name.removesuffix(".document.json")
        try:
            worst, of_contributions = differences(document_path)
        except Exception as error:  # a model that does not load is a failure like another, not the end of the list
            print(f"FAIL {name}: {str(error).splitlines()[0]}")
            failed += 1
            continue
        same = worst <= TOLERANCE and of_contributions <= CONTRIBUTIONS_TOLERANCE
        print(f"{'ok  ' if same else 'FAIL'} {name}: worst difference {worst:.2e}, of SHAP values {of_contributions:.2e}")
        passed, failed = passed + same, failed + (not same)
    print(f"xgboost {xgboost.__version__}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed > 0 and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
