"""Python's xgboost loads our models and predicts what we predict.

Usage: node tests/e2e/xgboost-export.ts OUT && python tests/e2e/xgboost_predicts_the_same.py OUT
Needs: pip install xgboost-cpu numpy
"""

import json
import pathlib
import sys
import warnings

import numpy
import xgboost

TOLERANCE = 1e-5
warnings.filterwarnings("ignore")


def worst_difference(document_path: pathlib.Path) -> float:
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
    return float(numpy.max(numpy.abs(theirs - ours) / size))


def main() -> int:
    passed = failed = 0
    for document_path in sorted(pathlib.Path(sys.argv[1]).glob("*.document.json")):
        name = document_path.name.removesuffix(".document.json")
        try:
            worst = worst_difference(document_path)
        except Exception as error:  # a model that does not load is a failure like another, not the end of the list
            print(f"FAIL {name}: {str(error).splitlines()[0]}")
            failed += 1
            continue
        same = worst <= TOLERANCE
        print(f"{'ok  ' if same else 'FAIL'} {name}: worst difference {worst:.2e}")
        passed, failed = passed + same, failed + (not same)
    print(f"xgboost {xgboost.__version__}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed > 0 and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
