"""What docs/python.md begins with: the picture, and both figures in words."""

import textwrap

QUIET = 1.5  # the load up to which figures need no excuse
PICTURE = "![CPU time of a request behind cppcorn and other servers](benchmarks/python.svg)"


def text(result):
    """Markdown; nothing before both figures are there."""
    scenarios = result["scenarios"]
    if not {"python_bare", "python_flask"} <= scenarios.keys():
        return ""
    lines = [PICTURE, "", _item("Around a bare app", scenarios["python_bare"]), _item("With Flask's hello", scenarios["python_flask"])]
    counted = scenarios.get("python_instructions", {}).get("servers", {}).get("cppcorn", {})
    if "loop" in counted:
        lines.append(_wrapped(f"The rest is Flask: {_share(counted)} of the instructions of that request are what the same interpreter"
                              " takes to call Flask in a loop, without any server. No server can better that part."))
    if (load := float(result["machine"]["Load before"])) > QUIET:
        lines.append(_wrapped(f"Measured on a busy machine (load {load:g}), where every figure is larger than it need be."))
    return "\n".join(lines) + "\n"


def _item(what, scenario):
    costs = {name: row["cpu_us"] for name, row in scenario["servers"].items() if "error" not in row}
    ours = costs.pop("cppcorn")
    quickest = min(costs, key=costs.get)
    told = [f"{_figure(costs[name])} behind {name}" for name in ("gunicorn sync", "gunicorn gthread") if name in costs]
    if not quickest.startswith("gunicorn"):
        told.append(f"{_figure(costs[quickest])} behind {quickest}, the least of the others")
    return _wrapped(f"{what}, a request takes {_figure(ours)} µs of a processor; {', '.join(told)}.")


def _figure(value):
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}"


def _share(counted):
    return f"{counted['loop'] / counted['hello']:.0%}".replace("%", " %")


def _wrapped(text):
    return textwrap.fill(f"- {text}", 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
