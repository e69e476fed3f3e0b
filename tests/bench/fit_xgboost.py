"""fit_xgboost.py FILE ROWS FEATURES ROUNDS: the same fit as fit-trees.ts, by xgboost with one thread; the same answer."""

import json
import resource
import sys

import numpy as np
import xgboost

file, rows, features, rounds = sys.argv[1], *map(int, sys.argv[2:])
cells = np.fromfile(file, dtype=np.float32).reshape(features + 1, rows)
table, target = np.ascontiguousarray(cells[:features].T), cells[features]


def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


cpu, mib = used()
parameters = {"objective": "binary:logistic", "tree_method": "hist", "max_bin": 256, "max_depth": 6, "eta": 0.1, "nthread": 1}
xgboost.train(parameters, xgboost.QuantileDMatrix(table, target, max_bin=256, nthread=1), rounds)
after_cpu, after_mib = used()
print(json.dumps({"cpuSeconds": after_cpu - cpu, "addedMib": after_mib - mib}))
