"""The page of tables names each CSV fixture that pandas takes for another table than we do, and no other.

Usage: python tests/e2e/pandas_reads_otherwise.py
Needs: pip install pandas
"""

import io
import json
import pathlib
import re
import sys
import warnings

import pandas

ROOT = pathlib.Path(__file__).parents[2]
FIXTURES = ROOT / "tests/fixtures/tables"
warnings.filterwarnings("ignore")


def type_of(dtype) -> str:
    if pandas.api.types.is_bool_dtype(dtype):
        return "boolean"
    return "number" if pandas.api.types.is_numeric_dtype(dtype) else "text"


def is_alike(fixture: dict) -> bool:
    text = (FIXTURES / fixture["file"]).read_bytes().decode(fixture["understood"]["encoding"]).removeprefix("\ufeff")
    try:
        frame = pandas.read_csv(io.StringIO(text, newline=""), sep=None, engine="python")
    except (ValueError, pandas.errors.ParserError):
        return False
    columns = {str(name): type_of(dtype) for name, dtype in frame.dtypes.items()}
    return list(columns.items()) == list(fixture["columns"].items()) and len(frame) == fixture["rows"]


def main() -> int:
    section = (ROOT / "docs/tables.md").read_text().split("\n## Where other readers differ\n")[1]
    told = {
        file
        for files, pandas_says in re.findall(r"^\| (`.*?`) \| .*? \| (.*?) \|", section, re.MULTILINE)
        for file in re.findall(r"`([^`]+)`", files)
        if pandas_says != "alike"
    }
    passed = failed = 0
    for fixture in json.loads((FIXTURES / "index.json").read_text()):
        file = fixture["file"]
        # What is compressed is the same table once more.
        if fixture.get("understood", {}).get("format") != "csv" or re.search(r"\.(gz|zst)$|gzip", file):
            continue
        if is_alike(fixture) == (file not in told):
            passed += 1
        else:
            failed += 1
            print(f"FAIL {file} is read {'otherwise' if file not in told else 'alike'}, and docs/tables.md says something else")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
