"""Loss and accuracy, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.figures.style import BLUE, ORANGE, Theme, styled

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.core.records import LearningCurve


def learning_curve(record: LearningCurve, theme: Theme = "light") -> go.Figure:
    """Draw accuracy (left) and loss (right); the epoch whose weights were kept is marked."""
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=2, subplot_titles=("accuracy", "loss (nats)"), horizontal_spacing=0.1)
    epochs = [point.epoch for point in record.points]
    points = record.points
    series: tuple[tuple[str, str, int, list[float | None]], ...] = (
        ("training", BLUE, 1, [p.accuracy for p in points]),
        ("training", BLUE, 2, [p.loss for p in points]),
        ("validation", ORANGE, 1, [p.val_accuracy for p in points]),
        ("validation", ORANGE, 2, [p.val_loss for p in points]),
    )
    for name, colour, column, values in series:
        if any(value is not None for value in values):
            figure.add_scatter(
                x=epochs,
                y=values,
                name=name,
                legendgroup=name,
                showlegend=column == 1,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                row=1,
                col=column,
            )
    if record.best_epoch is not None:
        figure.add_vline(x=record.best_epoch, line={"dash": "dot", "width": 1})
    styled(figure, theme, title=record.label)
    figure.update_xaxes(title_text="epoch", dtick=max(1, len(epochs) // 10))
    return figure
