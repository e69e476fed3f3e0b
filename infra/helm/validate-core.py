"""python validate-core.py core.yaml...: manifests against Kubernetes' own schemas, unknown fields refused.

Every version from the oldest that Chart.yaml allows to the newest there is.
"""
import re
import sys
from pathlib import Path

import kubernetes_validate
import yaml

chart = (Path(__file__).parent / "mlops-backend" / "Chart.yaml").read_text()
oldest = re.search(r'kubeVersion: ">=(\d+\.\d+)', chart).group(1)


def number(version):
    return [int(part) for part in version.split(".")[:2]]


# Each is listed twice there: with and without unknown fields.
known = dict.fromkeys(kubernetes_validate.utils.all_versions())
versions = [version for version in known if number(version) >= number(oldest)]
faults = 0
count = 0
for path in sys.argv[1:]:
    for manifest in yaml.safe_load_all(Path(path).read_text()):
        for version in versions:
            count += 1
            try:
                kubernetes_validate.validate(manifest, version, strict=True)
            except Exception as error:  # its faults have no common class
                faults += 1
                where = f"{path} {manifest['kind']} {manifest['metadata']['name']}, Kubernetes {version}"
                print(f"{where}: {getattr(error, 'message', error)} at {list(getattr(error, 'path', []))}")
print(f"{count} checks against {', '.join(versions)}, {faults} faults")
sys.exit(1 if faults > 0 or count == 0 else 0)
