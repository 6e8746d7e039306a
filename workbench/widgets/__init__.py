"""Leaf widgets: traits and one script each. They know no machine learning and import nothing of the workbench."""
