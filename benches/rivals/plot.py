#!/usr/bin/env python3
"""Draws the CSV of the bench `growth` as an SVG: python3 plot.py growth.csv growth.svg"""

import csv
import math
import sys
from collections import defaultdict
from html import escape

PANELS = [
    ("life cycle", "Life cycle of a child, so many live at once", "ns a task"),
    ("list", "List of all live tasks", "ns a task"),
    ("abort", "Abort of a flat tree", "ns in all"),
    ("status", "Status of a random task by its id", "ns a call"),
    ("deep chain", "Show, list and drop all of a chain", "ns a task"),
    ("a list after many", "List of a hundred tasks after so many others", "ns a task"),
    ("a module after many", "Register and close a module after so many others", "ns a module"),
    ("names after many", "Life cycle of a root with a new name after so many others", "ns a task"),
    ("memory", "Memory of a live child, all included", "bytes a task"),
]
# Ours in the strong colours; those of the others from the Okabe-Ito palette.
COLOURS = {
    "taskmgr": "#0b6e4f",
    "taskmgr, all polled": "#4fb286",
    "taskmgr, aborted": "#2f9270",
    "C++ sketch": "#d55e00",
    "prodash": "#0072b2",
    "tokio token": "#cc79a7",
    "indicatif": "#8a8a8a",
}
WIDTH, HEIGHT = 400, 300          # a panel
LEFT, RIGHT, TOP, BOTTOM = 62, 18, 44, 46
COLUMNS = 3


def read(path):
    """what -> who -> [(tasks, figure)]"""
    panels = defaultdict(lambda: defaultdict(list))
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            point = (int(row["tasks"]), float(row["figure"]))
            panels[row["what"]][row["who"]].append(point)
    return panels


def label(power):
    """10^power as a person writes it."""
    names = {0: "1", 1: "10", 2: "100", 3: "1k", 4: "10k", 5: "100k", 6: "1M", 7: "10M", 8: "100M", 9: "1G"}
    return names.get(power, f"1e{power}")


class Panel:
    """A plot with two logarithmic axes."""

    def __init__(self, title, unit, series):
        self.title, self.unit, self.series = title, unit, series
        points = [point for line in series.values() for point in line]
        self.x = self.decades(x for x, _ in points)
        self.y = self.decades(y for _, y in points)

    @staticmethod
    def decades(values):
        logs = [math.log10(max(value, 1e-3)) for value in values]
        low, high = math.floor(min(logs)), math.ceil(max(logs))
        return low, max(high, low + 1)

    def at(self, x, y):
        def part(value, ends):
            return (math.log10(max(value, 1e-3)) - ends[0]) / (ends[1] - ends[0])

        across = LEFT + part(x, self.x) * (WIDTH - LEFT - RIGHT)
        down = HEIGHT - BOTTOM - part(y, self.y) * (HEIGHT - TOP - BOTTOM)
        return across, down

    def grid(self):
        for power in range(self.y[0], self.y[1] + 1):
            x, y = self.at(10 ** self.x[0], 10.0 ** power)
            yield f'<line class="grid" x1="{x:.1f}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
            yield f'<text class="tick" x="{x - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{label(power)}</text>'
        for power in range(self.x[0], self.x[1] + 1):
            x, y = self.at(10 ** power, 10.0 ** self.y[0])
            yield f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{y:.1f}"/>'
            yield f'<text class="tick" x="{x:.1f}" y="{y + 17:.1f}" text-anchor="middle">{label(power)}</text>'

    def lines(self):
        # Ours last, on top.
        for who, points in sorted(self.series.items(), key=lambda item: item[0].startswith("taskmgr")):
            colour = COLOURS.get(who, "#000")
            width = 3 if who.startswith("taskmgr") else 1.8
            places = [self.at(*point) for point in sorted(points)]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
            for (x, y), (tasks, figure) in zip(places, sorted(points)):
                hint = escape(f"{who}, {tasks:,} tasks: {figure:,.4g} {self.unit}")
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{width + 0.6:.1f}" fill="{colour}"><title>{hint}</title></circle>'

    def draw(self, across, down):
        yield f'<g transform="translate({across},{down})">'
        yield f'<text class="title" x="{LEFT}" y="20">{escape(self.title)}</text>'
        yield f'<text class="unit" x="{LEFT}" y="36">{escape(self.unit)}</text>'
        yield from self.grid()
        yield from self.lines()
        yield f'<text class="unit" x="{WIDTH - RIGHT}" y="{HEIGHT - 10}" text-anchor="end">live tasks</text>'
        yield "</g>"


def legend(names, across, down):
    yield f'<g transform="translate({across},{down})">'
    for row, who in enumerate(name for name in COLOURS if name in names):
        y = 60 + 26 * row
        width = 4 if who.startswith("taskmgr") else 2
        yield f'<line x1="{LEFT}" y1="{y}" x2="{LEFT + 34}" y2="{y}" stroke="{COLOURS[who]}" stroke-width="{width}"/>'
        yield f'<circle cx="{LEFT + 17}" cy="{y}" r="{width}" fill="{COLOURS[who]}"/>'
        yield f'<text class="name" x="{LEFT + 46}" y="{y + 5}">{escape(who)}</text>'
    yield "</g>"


def main():
    source, target = sys.argv[1:]
    data = read(source)
    panels = [Panel(title, unit, data[what]) for what, title, unit in PANELS if data.get(what)]
    rows = math.ceil((len(panels) + 1) / COLUMNS)
    width, height = COLUMNS * WIDTH + 20, rows * (HEIGHT + 10) + 20
    places = [(10 + WIDTH * (i % COLUMNS), 10 + (HEIGHT + 10) * (i // COLUMNS)) for i in range(len(panels) + 1)]
    names = {who for lines in data.values() for who in lines}
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        "<style>text{font-family:system-ui,'Helvetica Neue',Arial,sans-serif;fill:#222}"
        ".title{font-size:14px;font-weight:600}.unit,.tick{font-size:11px;fill:#666}"
        ".name{font-size:14px}.grid{stroke:#e4e4e4;stroke-width:1}polyline{stroke-linejoin:round;stroke-linecap:round}</style>",
        f'<rect width="{width}" height="{height}" rx="10" fill="#fff"/>',
    ]
    for panel, place in zip(panels, places):
        out += panel.draw(*place)
    out += legend(names, *places[-1])
    out.append("</svg>")
    with open(target, "w") as file:
        file.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
