"""The picture at the beginning of docs/python.md: what a request costs around a bare app, and with Flask.

Bars from zero, so that their lengths can be compared, on a white ground of their own, whatever the page's is.
"""

OURS, OTHERS = "#1b6ca8", "#9a9a9a"
PANELS = {"python_bare": "a bare WSGI app", "python_flask": "Flask's hello"}


def draw(result, folder):
    panels = {title: costs(result["scenarios"][key]) for key, title in PANELS.items() if key in result["scenarios"]}
    if len(panels) < len(PANELS):
        return
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(panels), figsize=(9, 3.1), facecolor="white")
    for each, (title, found) in zip(axes, panels.items()):
        _panel(each, title, found, result["cppcorns"])
    figure.suptitle("CPU time of a request, microseconds: 2 workers, keep-alive where the server has it", fontsize=10, x=0.02, ha="left")
    figure.tight_layout()
    figure.savefig(folder / "python.svg", facecolor="white", metadata={"Date": None})
    pyplot.close(figure)


def costs(scenario):
    """Name and microseconds of each server that answered, the least first."""
    found = [(name, row["cpu_us"]) for name, row in scenario["servers"].items() if "error" not in row]
    return sorted(found, key=lambda each: each[1])


def _panel(axes, title, found, ours):
    names, values = zip(*found[::-1])
    axes.barh(range(len(names)), values, color=[OURS if name in ours else OTHERS for name in names], height=0.7)
    for at, value in enumerate(values):
        axes.annotate(f"{value:,.0f}" if value >= 20 else f"{value:.1f}", (value, at), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xticks([])
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.margins(x=0.15)
    axes.set_title(title, fontsize=9, loc="left")
