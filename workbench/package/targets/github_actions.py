"""GitHub Actions: train, gate and publish the model anew, from one file of settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from workbench.datasets.base import SOURCES
from workbench.evaluate.gate import Gate
from workbench.package.targets.base import Target

if TYPE_CHECKING:
    from workbench.core.records.package import ModelCard
    from workbench.package.facts import PackageFacts


class GithubActions(Target):
    """`ci/` belongs into a repository: the workflow into `.github/workflows/`, `run.yaml` into its root."""

    def files(self, facts: PackageFacts, card: ModelCard) -> dict[str, str]:
        """Return the workflow and the settings that it reads."""
        workflow = _WORKFLOW.replace("<NAME>", facts.name).replace("<VERSION>", facts.workbench)
        return {"ci/train-gate-publish.yaml": workflow, "ci/run.yaml": _run(card)}


_WORKFLOW = """\
# Every push trains anew; what its gate refuses fails the job (exit code 1); a tag v… becomes a release.
name: train-gate-publish
on:
  push:
    branches: ["main"]
    tags: ["v*"]
  pull_request: {}
  workflow_dispatch: {}
permissions:
  contents: read
concurrency:
  group: ${{ github.workflow }}-${{ github.ref }}
  cancel-in-progress: true
jobs:
  train-gate:
    runs-on: ubuntu-latest
    timeout-minutes: 120
    env:
      WORKBENCH_HOME: ${{ github.workspace }}/.workbench
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
          cache: pip
          cache-dependency-path: run.yaml
      - name: Install
        run: python -m pip install "lastmile-workbench[train]==<VERSION>"
      - name: Train, gate, compress, convert
        run: workbench run --config run.yaml --json > report.json
      - name: What the gate said
        if: failure()
        run: >-
          python -c "import json;
          print(*(line['reason'] for line in json.load(open('report.json'))['verdict']['lines']), sep=chr(10))"
      - name: Package the smallest model
        run: >-
          workbench package smallest --report report.json --output dist
          --name "<NAME>" --model-version ${{ github.run_number }}
      - name: Verify
        run: workbench verify dist/*.tar.gz
      - uses: actions/upload-artifact@v4
        with:
          name: package
          path: dist/
          if-no-files-found: error
  publish:
    needs: train-gate
    if: startsWith(github.ref, 'refs/tags/v')
    runs-on: ubuntu-latest
    permissions:
      contents: write
    steps:
      - uses: actions/download-artifact@v4
        with:
          name: package
          path: dist
      - name: Release
        run: gh release create "$GITHUB_REF_NAME" dist/*.tar.gz --repo "$GITHUB_REPOSITORY" --generate-notes
        env:
          GH_TOKEN: ${{ github.token }}
"""


def _run(card: ModelCard) -> str:
    data = card.evaluation.dataset if card.evaluation else None
    lines = ["# `workbench run --config run.yaml`; `workbench run --print-schema` lists every setting.", "road:"]
    if data in SOURCES.names():
        lines.append(f"  dataset: {json.dumps(data)}")
    else:
        lines.append(
            f"  # dataset: a name, or the path of a .csv or .npz file{f' ({json.dumps(data)})' if data else ''}"
        )
    rules = {line.rule: line.limit for line in card.verdict.lines} if card.verdict else {}
    known = [f"  {rule}: {_number(limit)}" for rule, limit in rules.items() if rule in Gate.model_fields]
    return "\n".join([*lines, *(["gate:", *known] if known else [])]) + "\n"


def _number(limit: float) -> str:
    return str(int(limit)) if limit.is_integer() else repr(limit)
