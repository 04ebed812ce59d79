"""Checks rendered manifests: manifests.py KUBERNETES_VERSION FILE…

Kubernetes' own kinds against its schemas, without unknown fields; those of the Prometheus operator against its models.
Prints a line for each fault and ends with 1 if there is one.
"""

import sys

import kubernetes_validate
import yaml
from cloudcoil.models.prometheus_operator import v1 as prometheus


def fault(document, version):
    if document["apiVersion"].startswith("monitoring.coreos.com/"):
        model = getattr(prometheus, document["kind"])
        # The models drop what they do not know.
        known = model.model_validate(document).model_dump(by_alias=True, exclude_unset=True, mode="json")
        return None if known == document else f"fields are unknown or of another type: {known}"
    kubernetes_validate.validate(document, version, strict=True)
    return None


def main(version, files):
    faults, checked = [], 0
    for file in files:
        with open(file, encoding="utf-8") as text:
            documents = [document for document in yaml.safe_load_all(text) if document]
        for document in documents:
            checked += 1
            name = f"{file}: {document['kind']} {document['metadata']['name']}"
            try:
                found = fault(document, version)
            except Exception as error:  # Each of the two libraries has errors of its own.
                found = getattr(error, "message", None) or str(error)
            if found:
                faults.append(f"{name}: {found}")
    print("\n".join(faults) or f"{checked} manifests fit Kubernetes {version}")
    return 1 if faults or not checked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
