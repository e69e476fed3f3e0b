"""Trains scikit-learn's linear models, xgboost and lightgbm with their defaults on the tables of sets.py, and scores everyone.

Usage: python tests/quality/rivals.py OUT SET ...
Needs: what sets.py does, and pip install xgboost-cpu lightgbm
Reads OUT/SET/SEED, and there the answers of our models, light.csv and heavy.csv; writes OUT/scores.json.
Answers of rivals are kept in OUT/rivals, by the rows, the versions and this file.
"""

import hashlib
import json
import pathlib
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import lightgbm
import numpy
import pandas
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

warnings.filterwarnings("ignore")
# Where texts have more values than that for each row, they are names: xgboost's trees would know the rows by them.
MOST_OWN = 0.5
PACKAGES = {"scikit-learn": "scikit-learn", "xgboost": "xgboost-cpu", "lightgbm": "lightgbm"}


def read(path: pathlib.Path, about: dict[str, Any]) -> pandas.DataFrame:
    """As sets.py had it: dates are days since 1970, hour, weekday, day of the year and month; categories are not yet known."""
    texts = {name: str for name in about["texts"]} | ({about["target"]: str} if about["metric"] != "R²" else {})
    frame = pandas.read_csv(path, dtype=texts, keep_default_na=False, na_values=[""], parse_dates=about["dates"])
    for name in about["dates"]:
        date = frame.pop(name)
        frame[f"{name}.days"] = (date - pandas.Timestamp(0)) / pandas.Timedelta(days=1)
        for part in ("hour", "weekday", "day_of_year", "month"):
            frame[f"{name}.{part}"] = getattr(date.dt, part)
    return frame


def asked(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(folder.glob("ask-*.csv"), key=lambda path: int(path.stem.removeprefix("ask-")))


def linear(train: pandas.DataFrame, test: pandas.DataFrame, y: numpy.ndarray, texts: list[str], is_classes: bool):
    numeric = make_pipeline(SimpleImputer(), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore")
    features = make_column_transformer((numeric, [each for each in train.columns if each not in texts]), (one_hot, texts))
    model = make_pipeline(features, LogisticRegression(max_iter=1000) if is_classes else Ridge())
    return model.fit(train, y), test


def with_categories(make: Callable[[bool], Any]):
    def fit(train: pandas.DataFrame, test: pandas.DataFrame, y: numpy.ndarray, texts: list[str], is_classes: bool):
        train, test = train.copy(), test.copy()
        for name in texts:
            known = pandas.CategoricalDtype(sorted(train[name].dropna().unique()))
            train[name], test[name] = train[name].astype(known), test[name].astype(known)
        # Both refuse some signs in names.
        train.columns = test.columns = [f"f{at}" for at in range(len(train.columns))]
        return make(is_classes).fit(train, y), test

    return fit


RIVALS = {
    "scikit-learn": linear,
    "xgboost": with_categories(lambda is_classes: (xgboost.XGBClassifier if is_classes else xgboost.XGBRegressor)(enable_categorical=True, n_jobs=1)),
    "lightgbm": with_categories(lambda is_classes: (lightgbm.LGBMClassifier if is_classes else lightgbm.LGBMRegressor)(verbose=-1, n_jobs=1)),
}


def answers(rival: str, folder: pathlib.Path, about: dict[str, Any]) -> pandas.Series:
    train, test = read(folder / "train.csv", about), pandas.concat([read(path, about) for path in asked(folder)])
    y, is_classes = train.pop(about["target"]), about["metric"] != "R²"
    names = [name for name in about["texts"] if train[name].nunique() > MOST_OWN * len(train)]
    train, texts = train.drop(columns=names), [name for name in about["texts"] if name not in names]
    labels = LabelEncoder().fit(y) if is_classes else None
    model, test = RIVALS[rival](train, test[train.columns], labels.transform(y) if labels else y.to_numpy(), texts, is_classes)
    if about["metric"] == "AUC":
        return pandas.Series(model.predict_proba(test)[:, 1])
    said = model.predict(test)
    return pandas.Series(labels.inverse_transform(said) if labels else said)


def kept(rival: str, folder: pathlib.Path, about: dict[str, Any], store: pathlib.Path) -> pandas.Series:
    parts = [path.read_bytes() for path in (folder / "train.csv", *asked(folder))]
    parts += [pathlib.Path(__file__).read_bytes(), json.dumps(about).encode(), version(PACKAGES[rival]).encode(), rival.encode()]
    path = store / f"{hashlib.sha256(b'|'.join(parts)).hexdigest()[:24]}.csv"
    if not path.exists():
        store.mkdir(exist_ok=True)
        answers(rival, folder, about).to_csv(path, index=False, header=["answer"])
    return read_answers(path, about)


def read_answers(path: pathlib.Path, about: dict[str, Any]) -> pandas.Series:
    return pandas.read_csv(path, dtype=str if about["metric"] == "accuracy" else float, keep_default_na=False)["answer"]


def score(metric: str, truth: pandas.Series, said: pandas.Series, positive: str | None) -> float:
    assert len(truth) == len(said)
    if metric == "AUC":
        return float(roc_auc_score(truth == positive, said))
    return float(accuracy_score(truth, said) if metric == "accuracy" else r2_score(truth, said))


def main() -> None:
    out = pathlib.Path(sys.argv[1])
    scores = []
    for name in sys.argv[2:]:
        about = json.loads((out / name / "set.json").read_text())
        for seed in about["seeds"]:
            folder = out / name / str(seed)
            truth = read(folder / "truth.csv", about | {"dates": [], "texts": []})[about["target"]]
            said = {mode: read_answers(folder / f"{mode}.csv", about) for mode in ("light", "heavy") if (folder / f"{mode}.csv").exists()}
            said |= {rival: kept(rival, folder, about, out / "rivals") for rival in RIVALS}
            scores += [{"set": name, "seed": seed, "who": who, "score": score(about["metric"], truth, each, about["positive"])} for who, each in said.items()]
    versions = {rival: version(package) for rival, package in PACKAGES.items()}
    (out / "scores.json").write_text(json.dumps({"scores": scores, "versions": versions}))


if __name__ == "__main__":
    main()
