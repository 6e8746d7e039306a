"""Datasets: prepared once as plain `.npy` files in the workspace, memory-mapped by everyone.

A unit of this kind is a dataset that people name (`digits`, `mnist`, `wine`, …): one file with one public class on
`base.DatasetSource`. Data of one's own comes as a CSV or `.npz` file, a folder of class folders, or arrays. Samples are
images, rows of a table or of any other shape; a table's columns, learnt from its training part alone, stay with it.
"""

from workbench.datasets.dataset import Dataset
from workbench.datasets.load import DefaultDataset, default_dataset, load_dataset, prepared_dataset

__all__ = ["Dataset", "DefaultDataset", "default_dataset", "load_dataset", "prepared_dataset"]
