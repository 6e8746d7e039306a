import os
import subprocess
import sys
from pathlib import Path


def test_onnxruntime_is_told_to_keep_quiet(tmp_path: Path) -> None:
    code = "import workbench, onnxruntime as ort; ort.get_available_providers()"
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"} | {"TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert [p.name for p in tmp_path.iterdir()] == []
