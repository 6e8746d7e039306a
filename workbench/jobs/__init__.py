"""Jobs: Dask places them, a forked child runs each, and the run folder holds the result.

`submit` returns at once with a `Job`, which any process can find again with `attach`. The state of a job is derived
from its files, so it outlives kernels, pages and the cluster itself.
"""

from workbench.jobs.cluster import ensure_cluster, stop_cluster
from workbench.jobs.here import here
from workbench.jobs.job import Job
from workbench.jobs.stage import StageContext
from workbench.jobs.submission import attach, finish, jobs, submit

__all__ = ["Job", "StageContext", "attach", "ensure_cluster", "finish", "here", "jobs", "stop_cluster", "submit"]
