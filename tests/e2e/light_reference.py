"""Writes what scikit-learn finds on small tables, for tests/unit/models/light-trainer.test.ts to find too.

Usage: python tests/e2e/light_reference.py > tests/fixtures/light-reference.json
Needs: pip install scikit-learn
"""

import json

import numpy
import sklearn
from sklearn import datasets
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def case(name, x, y, estimator, parameters):
    """Weights are those of the raw columns, by feature and output, as our models have them."""
    x = x.astype(numpy.float32).astype(numpy.float64)
    pipeline = make_pipeline(StandardScaler(), estimator).fit(x, y)
    scaler = pipeline[0]
    weights = numpy.atleast_2d(estimator.coef_) / scaler.scale_
    intercepts = numpy.atleast_1d(estimator.intercept_) - weights @ scaler.mean_
    told = {"logLoss": log_loss(y, pipeline.predict_proba(x))} if hasattr(estimator, "C") else {}
    return {
        "name": name,
        "parameters": parameters,
        "columns": x.T.tolist(),
        "target": [float(value) for value in y],
        "classes": len(set(y)) if told else None,
        "weights": weights.T.ravel().tolist(),
        "intercepts": intercepts.tolist(),
        **told,
    }


def logistic(**rest):
    return LogisticRegression(tol=1e-10, max_iter=100_000, **rest)


iris = datasets.load_iris(return_X_y=True)
x, y = datasets.load_breast_cancer(return_X_y=True)
cancer = x[:150, :6], y[:150]
x, y = datasets.load_diabetes(return_X_y=True)
diabetes = x[:100], y[:100]
x, y = datasets.load_digits(return_X_y=True)
varied = x[:250].std(axis=0) > 0
digits = x[:250, varied], y[:250]

print(
    json.dumps(
        {
            "by": f"tests/e2e/light_reference.py, scikit-learn {sklearn.__version__}",
            "cases": [
                case("three classes", *iris, logistic(), {}),
                case("two classes", *cancer, logistic(), {}),
                case("two balanced classes, C = 0.1", *cancer, logistic(C=0.1, class_weight="balanced"), {"ridge": 10, "classWeight": "balanced"}),
                case("three classes with weights", *iris, logistic(class_weight={0: 1, 1: 5, 2: 0.5}), {"classWeight": {"1": 5, "2": 0.5}}),
                case("numbers", *diabetes, Ridge(alpha=1), {}),
                case("numbers, alpha = 50", *diabetes, Ridge(alpha=50), {"ridge": 50}),
                case("more unknowns than Newton's method takes", *digits, logistic(), {}),
            ],
        },
        separators=(",", ":"),
    )
)
