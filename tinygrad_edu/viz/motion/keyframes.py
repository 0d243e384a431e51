"""The style sheet of an animation: what is seen during which scenes, and where the camera looks.

All marks of one span of scenes share a rule, and all rules one clock, so that nothing can drift apart.

Source: the CSS Animations specification.
"""

from __future__ import annotations

from itertools import accumulate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tinygrad_edu.viz.motion.marks import Mark, Point

FADE = 0.3


class Keyframes:
    """Collects rules.

    Parameters
    ----------
    durations
        How long each scene lasts, in seconds.
    """

    def __init__(self, durations: Sequence[float]) -> None:
        self.starts = [0.0, *accumulate(durations)]
        self.fade = min(FADE, *(0.25 * duration for duration in durations))
        self.rules: dict[str, str] = {}

    def seen(self, mark: Mark) -> str:
        """The class of a mark that is faded in and out again; nothing if it is always seen."""
        first, end, rest = mark.first, mark.end, mark.rest
        if first == 0 and end is None:
            return ""
        stops = [(0.0, 1.0)]
        if first > 0:
            stops = [(0.0, rest), (self.starts[first], rest), (self.starts[first] + self.fade, 1.0)]
        if end is not None:
            stops += [(self.starts[end], 1.0), (self.starts[end] + self.fade, rest)]
        stops.append((self.starts[-1], stops[-1][1]))
        return self.rule((at, f"opacity:{opacity:g}") for at, opacity in stops)

    def camera(self, shifts: Sequence[Point]) -> str:
        """The class of what is moved with the camera; nothing if the camera stands still."""
        if len(set(shifts)) == 1:
            return ""
        stops = [(0.0, shifts[0])]
        for k in range(1, len(shifts)):
            stops += [(self.starts[k], shifts[k - 1]), (self.starts[k] + self.fade, shifts[k])]
        stops.append((self.starts[-1], shifts[-1]))
        return self.rule((at, f"transform:translate({x:.2f}px,{y:.2f}px)") for at, (x, y) in stops)

    def rule(self, stops: Iterable[tuple[float, str]]) -> str:
        """The class with these keyframes, at times in seconds."""
        total = self.starts[-1]
        frames = "".join(f"{100 * at / total:.3f}%{{{look}}}" for at, look in stops)
        return self.rules.setdefault(frames, f"k{len(self.rules)}")

    def style(self, name: str) -> str:
        """The style sheet of a picture whose class has this name."""
        lines = [f".{name} [class]{{animation:{self.starts[-1]:g}s linear infinite}}"]
        for frames, rule in self.rules.items():
            lines.append(f".{name} .{rule}{{animation-name:{name}{rule}}}@keyframes {name}{rule}{{{frames}}}")
        lines.append(f".{name}:hover *{{animation-play-state:paused}}")
        lines.append(f"@media (prefers-reduced-motion:reduce){{.{name} *{{animation:none!important}}}}")
        return "\n".join(lines)
