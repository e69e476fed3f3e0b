"""onnxruntime takes our models as ONNX with raw columns, and predicts what we predict.
The lines of docs/models.md take the table itself, and predict the same.

Usage: node tests/e2e/onnx-export.ts OUT && python tests/e2e/onnx_predicts_the_same.py OUT
Needs: pip install onnx onnxruntime numpy pandas
"""

import json
import os
import pathlib
import re
import sys

import numpy
import onnx
import onnxruntime

# A chance is rounded to 32 bits, and so is a count; else there is no difference where one thread adds trees up in their order.
TOLERANCE = 1e-7
# By several threads trees are added up in another order.
THREADS_TOLERANCE = 1e-5
# 1e39 is no 32-bit float: it becomes infinity, which counts as missing.
numpy.seterr(over="ignore")


def fed(expected: dict) -> dict[str, numpy.ndarray]:
    """Cells as the inputs want them."""
    columns = {}
    for column in expected["columns"]:
        cells = column["cells"]
        if column["kind"] == "text":
            values = numpy.array(["" if cell is None else cell for cell in cells], dtype=object)
        else:
            numbers = numpy.array([numpy.nan if cell is None else cell for cell in cells], dtype=numpy.float64)
            values = numbers if column["kind"] in ("date", "time") else numbers.astype(numpy.float32)
        columns[column["column"]] = values.reshape(-1, 1)
    return columns


def features_difference(path: pathlib.Path, expected: dict) -> int:
    """How many features of the rows that were learnt from are not the very same 32-bit floats."""
    model = onnx.load(path)
    model.graph.output.append(onnx.ValueInfoProto(name="features"))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (theirs,) = session.run(["features"], fed(expected))
    ours = numpy.array(expected["learnt"]["features"], dtype=numpy.float32)
    theirs = theirs[: len(ours)]
    return int(numpy.sum((theirs != ours) & ~(numpy.isnan(theirs) & numpy.isnan(ours))))


def documented_lines() -> str:
    guide = (pathlib.Path(__file__).parents[2] / "docs" / "models.md").read_text()
    return re.search(r"```python\n(import json, onnxruntime, pandas\n.*?)```", guide, re.DOTALL).group(1)


def answers_by_the_guide(folder: pathlib.Path) -> list[numpy.ndarray]:
    before, said = os.getcwd(), {}
    os.chdir(folder)
    try:
        exec(documented_lines(), said)
    finally:
        os.chdir(before)
    return said["answers"]


def answers_by(path: pathlib.Path, expected: dict, threads: int) -> dict[str, numpy.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, fed(expected)), strict=True))


def difference(answers: dict[str, numpy.ndarray], expected: dict) -> float:
    if expected.get("classes") is None:
        ours = numpy.array(expected["predictions"], dtype=numpy.float64)[:, None]
        if list(answers) != ["value"] or answers["value"].shape != ours.shape:
            raise ValueError(f"{list(answers)} of another shape than {ours.shape}")
        return float(numpy.max(numpy.abs(answers["value"] - ours) / numpy.maximum(1, numpy.abs(ours))))
    wrong = numpy.flatnonzero(answers["label"] != numpy.array(expected["predictions"], dtype=object))
    if list(answers) != ["label", "probabilities"] or len(wrong) > 0:
        raise ValueError(f"{list(answers)}: other classes are said of the rows {wrong}")
    return float(numpy.max(numpy.abs(answers["probabilities"] - numpy.array(expected["probabilities"]))))


def differences(folder: pathlib.Path) -> tuple[float, float]:
    """By one thread, and by two."""
    path = folder / "model.onnx"
    onnx.checker.check_model(onnx.load(path), full_check=True)
    expected = json.loads((folder / "expected.json").read_text())
    if "learnt" in expected and (other_features := features_difference(path, expected)) > 0:
        raise ValueError(f"{other_features} features are others")
    by_one = answers_by(path, expected, 1)
    if (folder / "table.csv").exists():
        for ours, guided in zip(by_one.values(), answers_by_the_guide(folder), strict=True):
            ours = ours[: expected["learnt"]["rows"]]
            if ours.dtype == object:
                numpy.testing.assert_array_equal(guided, ours)
            else:
                numpy.testing.assert_allclose(guided, ours, rtol=THREADS_TOLERANCE, atol=THREADS_TOLERANCE)
    return difference(by_one, expected), difference(answers_by(path, expected, 2), expected)


def main() -> int:
    passed = failed = 0
    for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        try:
            by_one, by_two = differences(folder)
        except Exception as error:  # a model that does not load is a failure like another, not the end of the list
            print(f"FAIL {folder.name}: {error!r}"[:400])
            failed += 1
            continue
        same = by_one <= TOLERANCE and by_two <= THREADS_TOLERANCE
        print(f"{'ok  ' if same else 'FAIL'} {folder.name}: worst difference {by_one:.2e}, by two threads {by_two:.2e}")
        passed, failed = passed + same, failed + (not same)
    print(f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed > 0 and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
