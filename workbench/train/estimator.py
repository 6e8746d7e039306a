"""Training as scikit-learn's estimators do it: in pipelines, in a grid search, under cross-validation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.records import LearningCurve
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.datasets.splits import stratified
from workbench.train import answering
from workbench.train.answerable import KIND, STAGE
from workbench.train.architectures.base import ARCHITECTURES
from workbench.train.scaling import Scaling
from workbench.train.settings import LearningSettings, TrainSettings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from workbench.train.settings import Optimizer, Schedule

_LARGEST_SEED = 2**31 - 1
_MOST_AXES = 4


class WorkbenchClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network that is trained in a job of the workspace and answers here, on ONNX Runtime.

    Each `fit` is a run like any other: it can be watched, its files stay, and the same data with the same settings
    (`random_state` included) is not trained twice. X is a table or images:

    - (n, features): each column is scaled to [0, 1] by its range in the training part, which the estimator keeps. A
      network that takes images alone gets them: a row fills the smallest square that holds it, so 64 columns are an
      8x8 image.
    - (n, H, W) or (n, H, W, C): grey levels 0..255 or floats in [0, 1] are taken as they are, else they are scaled
      by the range of all pixels.

    A fitted estimator can be pickled: it holds where its model lies and its sha256, not the model. Use `n_jobs=1`
    in searches: jobs have processes of their own, and the cluster decides how many run at once.

    The defaults suit small tables, which need more steps than the documents' recipe takes on MNIST (5 epochs in
    batches of 64).

    Args:
        architecture: Name of the network: `mlp` takes any table, the others images of their size.
        architecture_settings: The network's own settings, such as `{"filters": 8}` of `sized_cnn`.
        epochs: Passes over the training data.
        batch_size: Samples a step.
        learning_rate: Step size of the optimizer; its peak where there is a schedule.
        schedule: `constant` or `cosine`.
        warmup: Share of all steps in which the rate climbs from 0 (cosine only).
        optimizer: `adam`, `adamw`, `nadam`, `rmsprop` or `sgd`.
        label_smoothing: Part of each label that is spread over all classes.
        shift_pixels: Each image is moved by up to so many pixels, anew every epoch.
        validation_fraction: Share of each class held back from training to validate on.
        patience: Epochs without a lower val_loss before it stops and keeps the best epoch's weights.
        random_state: Seed of weights, order and shifts; None draws one at every fit.
        workspace: Where runs are kept; None is the default one.

    Attributes:
        classes_: Labels, ascending, of whatever type y had.
        n_features_in_: Columns of a table; H of images.
        artifact_: The trained `tf_keras` model, for `workbench.compress`, `convert` and the rest of the road.
        onnx_: The ONNX model that answers.
        curve_: How the training went, a `LearningCurve`.
        history_: The same as Keras' `History.history`: a list an epoch of `loss`, `accuracy`, ….
        scaling_: What X is scaled by.
    """

    def __init__(  # noqa: PLR0913 - scikit-learn reads the settings from here
        self,
        *,
        architecture: str = "mlp",
        architecture_settings: dict[str, Any] | None = None,
        epochs: int = 20,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        schedule: Schedule = "constant",
        warmup: float = 0.0,
        optimizer: Optimizer = "adam",
        label_smoothing: float = 0.0,
        shift_pixels: int = 0,
        validation_fraction: float = 0.0,
        patience: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
        workspace: Workspace | None = None,
    ) -> None:
        self.architecture = architecture
        self.architecture_settings = architecture_settings
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.warmup = warmup
        self.optimizer = optimizer
        self.label_smoothing = label_smoothing
        self.shift_pixels = shift_pixels
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.random_state = random_state
        self.workspace = workspace

    def __sklearn_tags__(self) -> Any:
        """Say that images are welcome too."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's names
        """Train in a job and wait for its end.

        Args:
            X: (n, features) numbers, or images (n, H, W) or (n, H, W, C) with C 1 or 3.
            y: (n,) labels of any type; at least two different ones.

        Raises:
            ValueError: X or y cannot be learnt from, in scikit-learn's words.
            BadInputError: A setting breaks its rule, or the images do not fit the network.
            JobCancelledError: Someone cancelled the job.
        """
        self._declared()
        samples, labels = validate_data(self, X, y, allow_nd=True)
        check_classification_targets(labels)
        self.classes_, encoded = np.unique(labels, return_inverse=True)
        if len(self.classes_) == 1:
            raise ValueError("Classifier can't train when only one class is present.")
        self._remember_shape(samples)
        kept = stratified(encoded, self.validation_fraction)[0] if self.validation_fraction else slice(None)
        self.scaling_ = Scaling.learnt(samples[kept])
        workspace = Workspace.of(self.workspace)
        settings = self._settings(self._dataset(samples, encoded, workspace))
        self._train(settings, workspace)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return the probability of each class.

        Args:
            X: Samples of the shape that was fitted.

        Returns:
            (n, classes), columns in the order of `classes_`.

        Raises:
            ValueError: X is not of the shape that was fitted.
            WorkspaceError: The model's file is missing, truncated or changed.
        """
        check_is_fitted(self)
        samples = validate_data(self, X, reset=False, allow_nd=True)
        if samples.shape[1:] != self._shape:
            raise ValueError(f"X must have the shape (n, {self._shape}) that was fitted, got {samples.shape}.")
        return answering.probabilities(self.onnx_, self.scaling_.scaled(samples, as_images=self._as_images))

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the most probable label of each sample, (n,).

        Raises:
            ValueError: X is not of the shape that was fitted.
            WorkspaceError: The model's file is missing, truncated or changed.
        """
        likely = self.predict_proba(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[likely]
        return labels

    def _remember_shape(self, samples: NDArray[Any]) -> None:
        if samples.ndim > _MOST_AXES:
            raise ValueError(f"X must have the shape (n, features) or hold images, got {samples.shape}.")
        self._shape = samples.shape[1:]
        self._as_images = not ARCHITECTURES.get(self.architecture).takes(self._shape)

    def _dataset(self, samples: NDArray[Any], encoded: NDArray[np.int64], workspace: Workspace) -> Dataset:
        scaled = self.scaling_.scaled(samples, as_images=self._as_images)
        # A dataset has a test split; nothing looks at it here, and whoever scores brings samples of their own.
        return Dataset.from_arrays(
            scaled, encoded, scaled[:1], encoded[:1], name="fitted", classes=self._names(), workspace=workspace,
            kind="images" if scaled.ndim == _MOST_AXES else "samples",
        )  # fmt: skip

    def _names(self) -> tuple[str, ...] | None:
        names = tuple(str(label) for label in self.classes_)
        return names if len(set(names)) == len(names) and all(name.strip() for name in names) else None

    def _declared(self) -> None:
        """Check the settings before anything is done with them."""
        LearningSettings(**{name: getattr(self, name) for name in LearningSettings.model_fields if name != "seed"})
        if self.workspace is not None and not isinstance(self.workspace, Workspace):
            raise BadInputError.of("workspace", rule="must be a Workspace", got=self.workspace)

    def _settings(self, data: Dataset) -> TrainSettings:
        values = {name: getattr(self, name) for name in LearningSettings.model_fields if name != "seed"}
        settings = TrainSettings(
            **values,
            seed=self._seed(),
            dataset=data.spec,
            architecture=self.architecture,
            architecture_settings=self.architecture_settings or {},
        )
        settings.network.check(data.shape)
        return settings

    def _seed(self) -> int:
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(_LARGEST_SEED))

    def _train(self, settings: TrainSettings, workspace: Workspace) -> None:
        from workbench.jobs import finish, submit

        job = submit(STAGE, settings, kind=KIND, workspace=workspace)
        finish(job)
        value = job.value()
        self.artifact_, self.onnx_ = Artifact.load(value["artifact"]), Artifact.load(value["onnx"])
        self.curve_ = LearningCurve.from_json(value["curve"])
        points = [point.model_dump(exclude={"epoch"}, exclude_none=True) for point in self.curve_.points]
        self.history_ = {name: [point[name] for point in points] for name in points[0]}
