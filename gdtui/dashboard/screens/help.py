"""Help: what every key does, and what every pane shows."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from gdtui.dashboard.keymap import COMMANDS
from gdtui.dashboard.screens.layer import Layer

if TYPE_CHECKING:
    from textual.app import ComposeResult

PANES = {
    "1 Experiment": "What is run. Enter or leaving a field applies it, esc gives it up. lr, batch size, order and "
    "epochs change the run under way from its next update; everything else starts a new run.",
    "2 Loss": "f(θ) = (1/n) Σ ℓᵢ(θ) over all n samples, at the end of each epoch; epoch 0 is the start. ▾ marks a "
    "change; dim, beneath: what theory predicts (of the full batch on a quadratic), or what lies ahead after a rewind. "
    "Focused: ← → home end move a cursor that reads exact values.",
    "3 Samples": "A row a sample: ℓᵢ = (ŷ − y)² and its gradient gᵢ = ∇ℓᵢ = 2x(ŷ − y). As applied: each at the θ of "
    "its own visit in this epoch, – where it was not visited yet. Now: all at the current θ. ▸ marks the newest batch, "
    "c a gradient that was clipped. Share: its part of gradient descent's step, gᵢ·g/(n‖g‖²), * the largest; cos: its "
    "gradient's cosine with their mean g, ◂ below 0: it pulls against the step; both at the θ of now. / filters: "
    "a column compared with a number, or clipped, conflict, visited, newest; space or comma is and; or; not.",
    "4 Landscape": "One parameter: f(w), some ℓᵢ, where θ is, its tangent, the step to come. Two: f from above, the "
    "path, × the known minima. More: f along the newest update, with α on it.",
    "5 Insight": "All of it at the θ of now. The ladder: learning rates at which descent breaks, in what it is set to "
    "and beside it (exact where f is quadratic, ≈ here elsewhere; Cohen et al. 2021, Ma et al. 2018). Noise scale "
    "B = trΣ/‖g‖²: a batch b far below B is led by noise (McCandlish et al. 2018). Align: the mean cosine of gᵢ with "
    "their mean g; against: how many have cos < 0. α: where the newest step landed on a parabola along it, −1 not "
    "moved, 0 the minimum, 1 the far wall (Cockpit, Schneider et al. 2021). i shows one of them over the epochs.",
    "6 Runs": "p pins this run as it stands; it stays on the chart through changes, resets and other problems, with a "
    "colour and a line mark of its own. p again pins it as it is by then, or, if nothing happened since, no longer; f "
    "pins the run forked from; P unpins all. A line a run: the settings in which it differs from the others, its loss "
    "or what the chart's cursor reads of it. Focused: ↑ ↓ select, p or del unpins. d draws each pinned run against "
    "this one at the same x: f/f now on a log axis, f − f now on a linear one, interpolated between epochs. SGD makes "
    "n/b updates where gradient descent makes one: by x compare at the same updates or the same samples seen.",
    "7 Log": "θ and f after each epoch, all digits; at grain update, each visit's gradient; every change.",
}
"""What each pane shows, and where its numbers come from."""

TERMS = {
    "update": "θ ← θ − lr · mean of gᵢ over one batch",
    "epoch": "one pass, n samples: n/b updates with batch size b",
    "batch size": "full: gradient descent; 1: stochastic (SGD); between: mini-batch",
    "diverged": "a value was no longer finite, or f grew over 10¹² · max(1, f at the start); the last finite θ is kept",
    "converged": "the last epoch left θ as it was, to the last bit",
}


class HelpScreen(ModalScreen[None], Layer[None]):
    """Keys, panes and words, on one page to scroll."""

    BINDINGS: ClassVar = [Binding("escape,question_mark,q,f1", "dismiss", "Close", show=False)]

    def compose(self) -> ComposeResult:
        """One page."""
        with VerticalScroll() as page:
            page.border_title = "Help"
            page.border_subtitle = "esc close · ↑ ↓ scroll"
            yield Static(_page(), markup=False)

    def on_mount(self) -> None:
        """Arrow keys scroll."""
        self.query_one(VerticalScroll).focus()


def _page() -> Text:
    text = Text()
    for group, commands in groupby(COMMANDS, key=lambda command: command.group):
        text.append(f"{group}\n", "bold")
        for command in commands:
            text.append(f"  {command.shown:>10}  ", "bold")
            text.append(f"{command.help}\n")
        text.append("\n")
    for title, entries in (("What the panes show", PANES), ("Words", TERMS)):
        text.append(f"{title}\n", "bold")
        for name, meaning in entries.items():
            text.append(f"  {name}: ", "bold")
            text.append(f"{meaning}\n")
        text.append("\n")
    return text
