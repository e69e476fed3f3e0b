"""Light models beside scikit-learn's, on its own sets: the same rows, the same weights, the same quality.

Usage: python tests/e2e/light_beside_sklearn.py [OUT] [set ...]
Needs: pip install scikit-learn; node_modules/.bin in PATH
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

import numpy
from sklearn import datasets
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = pathlib.Path(__file__).parent
TOLERANCE = 1e-3
warnings.filterwarnings("ignore")


def mnist_like():
    """5,000 × 784 of 10 classes: scikit-learn's digits, drawn again at 28 × 28 with other places, strengths and noise."""
    rng = numpy.random.default_rng(0)
    images, labels = datasets.load_digits(return_X_y=True)
    chosen = rng.integers(0, len(labels), 5000)
    big = numpy.kron(images[chosen].reshape(-1, 8, 8), numpy.ones((3, 3))) * 16
    x = numpy.zeros((5000, 28, 28))
    for at, (row, column) in enumerate(rng.integers(0, 5, (5000, 2))):
        x[at, row : row + 24, column : column + 24] = big[at] * rng.uniform(0.6, 1) + rng.normal(0, 20, (24, 24))
    return numpy.clip(x, 0, 255).round().reshape(5000, 784), labels[chosen]


SETS = {
    "breast_cancer": (lambda: datasets.load_breast_cancer(return_X_y=True), "classification"),
    "wine": (lambda: datasets.load_wine(return_X_y=True), "classification"),
    "iris": (lambda: datasets.load_iris(return_X_y=True), "classification"),
    "digits": (lambda: datasets.load_digits(return_X_y=True), "classification"),
    "diabetes": (lambda: datasets.load_diabetes(return_X_y=True), "regression"),
}
ON_REQUEST = {"mnist_like": (mnist_like, "classification")}


def write_table(folder, name, x, y, task):
    cells = [str(int(value)) for value in y] if task == "classification" else [float(value) for value in y]
    columns = [[float(value) for value in column] for column in x.T] + [cells]
    (folder / f"{name}.table.json").write_text(json.dumps({"task": task, "columns": columns}))


def compare(x, y, task, classes, run):
    """Quality of both, the largest difference of weights on the standardised scale, and of chances or predictions."""
    held = numpy.zeros(len(y), bool)
    held[run["heldOut"]] = True
    # Models have 32-bit floats, and leave out what is constant in the rows that they learn from.
    x = x[:, run["used"]].astype(numpy.float32).astype(numpy.float64)
    labels = y if classes is None else numpy.array([classes.index(str(int(value))) for value in y])
    exact = Ridge(alpha=1) if task == "regression" else LogisticRegression(tol=1e-8, max_iter=20_000)
    usual = Ridge(alpha=1) if task == "regression" else LogisticRegression(max_iter=1000)
    fitted = make_pipeline(StandardScaler(), exact).fit(x[~held], labels[~held])
    started = time.process_time()
    make_pipeline(StandardScaler(), usual).fit(x[~held], labels[~held])
    seconds = time.process_time() - started
    outputs = exact.coef_.shape[0] if exact.coef_.ndim > 1 else 1
    weights = numpy.array(run["weights"][: -outputs]).reshape(-1, outputs).T
    scales = fitted[0].scale_ * (1 if task == "classification" else 1 / labels[~held].std())
    theirs = numpy.atleast_2d(exact.coef_) / (1 if task == "classification" else labels[~held].std())
    apart = float(numpy.max(numpy.abs(weights * scales - theirs)))
    if task == "regression":
        said = fitted.predict(x[held])
        quality = {"r2": r2_score(labels[held], said)}
    else:
        chances = fitted.predict_proba(x[held])
        quality = {
            "accuracy": accuracy_score(labels[held], chances.argmax(1)),
            "logLoss": log_loss(labels[held], chances, labels=range(len(classes))),
        }
    return quality, apart, seconds


def main() -> int:
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    chosen = sys.argv[2:] or list(SETS)
    tables = {name: ((SETS | ON_REQUEST)[name][0](), (SETS | ON_REQUEST)[name][1]) for name in chosen}
    for name, ((x, y), task) in tables.items():
        write_table(folder, name, x, y, task)
    subprocess.run(["node", str(HERE / "light-export.ts"), str(folder)], check=True)
    failed = 0
    for name, ((x, y), task) in tables.items():
        light = json.loads((folder / f"{name}.light.json").read_text())
        compared = [compare(x, y, task, light.get("classes"), run) for run in light["runs"]]
        keys = compared[0][0].keys()
        ours = {key: float(numpy.mean([run["metrics"][key] for run in light["runs"]])) for key in keys}
        theirs = {key: float(numpy.mean([quality[key] for quality, _, _ in compared])) for key in keys}
        apart = max(weights for _, weights, _ in compared)
        worst = max(abs(run["metrics"][key] - quality[key]) for run, (quality, _, _) in zip(light["runs"], compared) for key in keys if key != "accuracy")
        cpu = numpy.median([run["cpuSeconds"] for run in light["runs"]]), numpy.median([s for _, _, s in compared])
        alike = apart <= TOLERANCE and worst <= TOLERANCE
        failed += not alike
        print(f"{'ok  ' if alike else 'FAIL'} {name}: light", {k: round(v, 4) for k, v in ours.items()}, "scikit-learn", {k: round(v, 4) for k, v in theirs.items()},
              f"weights apart {apart:.1e}, log loss or r2 {worst:.1e}; CPU {cpu[0]:.3f} s, scikit-learn {cpu[1]:.3f} s", flush=True)
    print(f"{len(tables) - failed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
