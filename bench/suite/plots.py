"""A bar for each server in each scenario that has one leading figure."""

LEADING = ("cpu_us", "bytes_each", "start_ms", "worked_mib", "reload_ms")


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
        columns = {field: heading for field, heading, _ in scenario["columns"]}
        field = next((field for field in LEADING if field in columns), None)
        values = {name: row[field] for name, row in scenario["servers"].items() if field in row}
        if len(values) > 1:
            _bars(pyplot, scenario["title"], columns[field], values, result["cppcorns"], folder / f"{key}.svg")
            files[key] = f"{folder.name}/{key}.svg"
    return files


def _bars(pyplot, title, unit, values, ours, path):
    names = list(values)[::-1]
    figure, axes = pyplot.subplots(figsize=(7, 0.6 + 0.3 * len(names)))
    colours = ["#1b6ca8" if name in ours else "#999999" for name in names]
    bars = axes.barh(names, [values[name] for name in names], color=colours)
    labels = [f"{values[name]:,.{0 if values[name] >= 100 else 1 if values[name] >= 10 else 2}f}" for name in names]
    axes.bar_label(bars, labels, padding=3, fontsize=8)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{title}: {unit}", fontsize=10, loc="left")
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
