"""Run every benchmark beside this file and write the README's table of figures.

Each benchmark is a script that takes the path of a JSON file to write: a list of rows with `figure` (what was
measured), `target` (what it should be), `measured` (what it was) and `met` (true, false, or null where there is no
target). Give names to run some of them: `python benchmarks/run.py startup dashboard`; `serving_rivals`, which installs
other servers, runs only where it is named.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.core.artifact import cpu_name

HERE = Path(__file__).parent
RESULTS = HERE / "results"
README = HERE.parent / "README.md"
NO_BENCHMARKS = ("run", "browser", "job_stages", "tutorial_script")
BY_NAME_ONLY = ("serving_rivals",)
TITLES = {
    "dashboard": "Dashboards",
    "drift": "Drift",
    "drill": "Drills",
    "formats": "Conversion",
    "jobs": "Jobs",
    "panels": "Panels, sliders and many viewers",
    "serving": "Serving",
    "serving_ray": "Serving on Ray",
    "serving_rivals": "Serving beside other servers",
    "slider": "The slider's answers",
    "smallest": "The smallest files",
    "startup": "Starting",
    "sweep": "Sweeps beside scripts",
    "sweep_workers": "Sweeps on several workers",
    "training": "Training",
}
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def main(names: list[str]) -> None:
    """Run the named benchmarks (default: all) and write the table from all results that are there."""
    ours = (path for path in HERE.glob("*.py") if path.stem not in NO_BENCHMARKS)
    scripts = sorted(path for path in ours if path.stem in names or (not names and path.stem not in BY_NAME_ONLY))
    RESULTS.mkdir(exist_ok=True)
    for script in scripts:
        print(f"== {script.stem}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "rows.json"
            done = subprocess.run([sys.executable, str(script), str(output)], check=False)
            if done.returncode or not output.exists():
                sys.exit(f"benchmark {script.stem} ended with {done.returncode}")
            result = {
                "date": datetime.now(UTC).date().isoformat(),
                "machine": cpu_name(),
                "rows": json.loads(output.read_text(encoding="utf-8")),
            }
        (RESULTS / f"{script.stem}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    write_table()


def write_table() -> None:
    """Put the tables between the README's markers: one a benchmark, folded, each with what its targets came to."""
    lines: list[str] = []
    machines = set()
    for path in sorted(RESULTS.glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        machines.add(f"{result['machine']} ({result['date']})")
        lines += _group(path.stem, result["rows"])
    text = "\n".join([*lines, f"Measured by `make bench` on: {'; '.join(sorted(machines))}."])
    readme = README.read_text(encoding="utf-8")
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    README.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")
    print(text)


def _group(name: str, rows: list[dict[str, Any]]) -> list[str]:
    met, missed = (sum(row["met"] is kept for row in rows) for kept in (True, False))
    told = f"targets met: {met} of {met + missed}" + (f", <b>{missed} missed</b>" if missed else "")
    title = TITLES.get(name, name.replace("_", " ").capitalize())
    lines = [
        "<details>",
        f"<summary>{title} ({told if met + missed else 'no targets'})</summary>",
        "",
    ]
    lines += ["| figure | target | measured | |", "|---|---|---|---|"]
    for row in rows:
        sign = {True: "met", False: "**missed**", None: ""}[row["met"]]
        lines.append(f"| {row['figure']} | {row['target']} | {row['measured']} | {sign} |")
    return [*lines, "", "</details>", ""]


if __name__ == "__main__":
    main(sys.argv[1:])
