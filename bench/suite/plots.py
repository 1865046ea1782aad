"""A picture of each scenario that has one leading figure.

Where there is a floor, it shows `× floor`: the median, and a line from the lowest to the highest round. It does not show
CPU microseconds: the median of those, divided by the floor's, is another number than the median of the ratios.

What costs twenty times as much leaves no room for those that are close to each other on a linear axis. Where figures
are that far apart the axis is logarithmic, and the picture has points rather than bars, whose length would mean nothing.
"""

LEADING = ("lost", "reload_lost", "ratio", "cpu_us", "bytes_each", "start_ms", "worked_mib", "reload_ms", "p99_150", "wait_ms", "p99_with")
LOGARITHMIC_FROM = 4
OURS, OTHERS = "#1b6ca8", "#777777"


def draw(result, folder):
    """Returns the names of the files by scenario; nothing if matplotlib is missing."""
    try:
        import matplotlib

        matplotlib.use("svg")
        matplotlib.rcParams["svg.hashsalt"] = "bench"  # equal figures, equal files
        from matplotlib import pyplot
    except ImportError:
        print("No plots: python3-matplotlib is missing")
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for key, scenario in result["scenarios"].items():
        field = leading_field(scenario)
        rows = {name: row for name, row in scenario["servers"].items() if row.get(field) is not None}
        if len(rows) > 1:
            figure, axes = pyplot.subplots(figsize=(7, 0.9 + 0.3 * len(rows)))
            _picture(axes, scenario, field, rows, result["cppcorns"])
            figure.savefig(folder / f"{key}.svg", bbox_inches="tight", metadata={"Date": None})
            pyplot.close(figure)
            files[key] = f"{folder.name}/{key}.svg"
    return files


def leading_field(scenario):
    columns = [field for field, _, _ in scenario["columns"]]
    return next((field for field in LEADING if field in columns), None)


def is_logarithmic(values):
    return min(values) > 0 and max(values) > LOGARITHMIC_FROM * min(values)


def explained(heading, has_range, logarithmic):
    """What the axis shows, in words."""
    text = f"{heading}, median of the rounds; line: lowest to highest" if has_range else heading
    return text + (" (logarithmic axis)" if logarithmic else "")


def _picture(axes, scenario, field, rows, ours):
    names = list(rows)[::-1]
    values = [rows[name][field] for name in names]
    ends = [(_end(rows[name], field, "low"), _end(rows[name], field, "high")) for name in names]
    colours = [OURS if name in ours else OTHERS for name in names]
    logarithmic = is_logarithmic(values)
    axes.set_yticks(range(len(names)), names)
    if logarithmic:
        axes.set_xscale("log")
        axes.scatter(values, range(len(names)), color=colours, zorder=3)
    else:
        axes.barh(range(len(names)), values, color=colours, height=0.6)
    for at, (low, high) in enumerate(ends):
        axes.plot([low, high], [at, at], color="black", linewidth=0.8, zorder=2)
    for at, (value, (_, high)) in enumerate(zip(values, ends)):
        offset = {"xytext": (8, 0), "textcoords": "offset points"}
        axes.annotate(_label(value), (max(value, high), at), **offset, va="center", fontsize=8)
    heading = next(heading for name, heading, _ in scenario["columns"] if name == field)
    _axis(axes, values, logarithmic, explained(heading, any(low != high for low, high in ends), logarithmic))
    axes.set_title(scenario["title"], fontsize=10, loc="left")


def _axis(axes, values, logarithmic, text):
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#dddddd", zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8)
    axes.set_xlabel(text, fontsize=8, loc="left")
    if logarithmic:
        low, high = axes.get_xlim()
        steps = [digit * 10.0**power for power in range(-2, 7) for digit in (1, 2, 5)]
        axes.set_xticks([step for step in steps if low <= step <= high])
        axes.set_xticks([], minor=True)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")


def _end(row, field, which):
    return row.get(f"{field.partition('_')[0]}_{which}", row[field])


def _label(value):
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"
