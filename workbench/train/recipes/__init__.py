"""Recipes: one way to train a file. `get(name)` gives its class, `names()` all there are."""

from workbench.train.recipes.base import RECIPES

get = RECIPES.get
names = RECIPES.names

__all__ = ["RECIPES", "get", "names"]
