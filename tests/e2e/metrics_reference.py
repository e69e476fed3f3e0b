"""Writes what scikit-learn measures on fixed answers, for tests/unit/models/metrics.test.ts to measure too.

Usage: python tests/e2e/metrics_reference.py > tests/fixtures/metrics-reference.json
Needs: pip install scikit-learn
"""

import json

import numpy
import sklearn
from sklearn import metrics
from sklearn.calibration import calibration_curve

random = numpy.random.default_rng(11)


def two_classes(name, actual, chances, threshold=0.5):
    """`chances` are those of the class 1, which is the positive one."""
    said = (chances >= threshold).astype(int)
    fpr, tpr, thresholds = metrics.roc_curve(actual, chances)
    precision, recall, cuts = metrics.precision_recall_curve(actual, chances)
    # 10 bins of quantiles, as we have them.
    true, told = calibration_curve(actual, chances, n_bins=10, strategy="quantile")
    macro = metrics.precision_recall_fscore_support(actual, said, average="macro", zero_division=0)
    positive = metrics.precision_recall_fscore_support(actual, said, average="binary", zero_division=0)
    return {
        "name": name,
        "actual": actual.tolist(),
        "chances": chances.tolist(),
        "threshold": threshold,
        "metrics": {
            "accuracy": metrics.accuracy_score(actual, said),
            "balancedAccuracy": metrics.balanced_accuracy_score(actual, said),
            "precision": macro[0],
            "recall": macro[1],
            "f1": macro[2],
            "logLoss": metrics.log_loss(actual, chances),
            "auc": metrics.roc_auc_score(actual, chances),
            "averagePrecision": metrics.average_precision_score(actual, chances),
            "brier": metrics.brier_score_loss(actual, chances),
        },
        "positive": {"precision": positive[0], "recall": positive[1], "f1": positive[2]},
        "curves": {
            "roc": {"fpr": fpr.tolist(), "tpr": tpr.tolist(), "thresholds": [None, *thresholds[1:].tolist()]},
            "precisionRecall": {
                "precision": precision.tolist(),
                "recall": recall.tolist(),
                "thresholds": cuts.tolist(),
            },
            "calibration": {"probTrue": true.tolist(), "probPred": told.tolist()},
        },
    }


def more_classes(name, actual, chances):
    said = chances.argmax(axis=1)
    macro = metrics.precision_recall_fscore_support(actual, said, average="macro", zero_division=0)
    return {
        "name": name,
        "actual": actual.tolist(),
        "probabilities": chances.tolist(),
        "metrics": {
            "accuracy": metrics.accuracy_score(actual, said),
            "balancedAccuracy": metrics.balanced_accuracy_score(actual, said),
            "precision": macro[0],
            "recall": macro[1],
            "f1": macro[2],
            "logLoss": metrics.log_loss(actual, chances, labels=range(chances.shape[1])),
        },
    }


def numbers(name, actual, predicted):
    # As metrics.residuals has them: what is, minus what was said.
    residuals = numpy.percentile(actual - predicted, [5, 25, 50, 75, 95])
    return {
        "name": name,
        "actual": actual.tolist(),
        "predicted": predicted.tolist(),
        "metrics": {
            "r2": metrics.r2_score(actual, predicted),
            "mse": metrics.mean_squared_error(actual, predicted),
            "rmse": metrics.root_mean_squared_error(actual, predicted),
            "mae": metrics.mean_absolute_error(actual, predicted),
            "medianAbsoluteError": metrics.median_absolute_error(actual, predicted),
            "mape": metrics.mean_absolute_percentage_error(actual, predicted),
        },
        "residuals": dict(zip(["p5", "p25", "p50", "p75", "p95"], residuals.tolist())),
    }


def drawn(rows, share, skill):
    actual = (random.random(rows) < share).astype(int)
    margins = random.normal(size=rows) + skill * actual + numpy.log(share / (1 - share))
    return actual, 1 / (1 + numpy.exp(-margins))


even = drawn(60, 0.5, 1.5)
rare = drawn(400, 0.06, 1)
tied = drawn(90, 0.3, 1)
tied = tied[0], tied[1].round(1)
nobody = rare[0], rare[1] / 8
softmax = numpy.exp(random.normal(size=(80, 4)))
prices = numpy.exp(random.normal(3, 0.5, size=75))

print(
    json.dumps(
        {
            "by": f"tests/e2e/metrics_reference.py, scikit-learn {sklearn.__version__}",
            "twoClasses": [
                two_classes("even", *even),
                two_classes("rare, at a threshold", *rare, threshold=0.2),
                two_classes("chances that are alike", *tied, threshold=0.3),
                two_classes("nobody is said to be positive", *nobody),
            ],
            "moreClasses": [
                more_classes("four", random.integers(0, 4, 80), softmax / softmax.sum(axis=1, keepdims=True)),
                more_classes("one of them is not there", random.integers(0, 3, 80), softmax / softmax.sum(axis=1, keepdims=True)),
            ],
            "numbers": [numbers("prices", prices, prices * random.normal(1.05, 0.2, size=75))],
        },
        separators=(",", ":"),
    )
)
