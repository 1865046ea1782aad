"""What a run found, as text, as JSON and within docs/benchmarks.md and docs/performance.md."""

import json
import textwrap

BEGIN, END = "<!-- made by script/bench: begin -->", "<!-- made by script/bench: end -->"


def terminal(result):
    for title, table in _tables(result):
        rows = [table.headings, *table.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(len(table.headings))]
        print(f"\n{title}")
        for row in rows:
            print("  " + "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))))
        for note in table.notes:
            print(f"  {note}")
    print()
    for line in goals(result):
        print(line)


def goals(result):
    lines = []
    for scenario in result["scenarios"].values():
        for field, limit in scenario["targets"]:
            for name in result["cppcorns"]:
                row = scenario["servers"].get(f"{name} with access log") or scenario["servers"].get(name)
                if row is not None:
                    verdict = _verdict(row, field, limit)
                    lines.append(f"{name}: {scenario['title']}: {_heading(scenario, field)}: {verdict}")
    return lines


def _verdict(row, field, limit):
    value = row.get(field)
    if value is None:
        return f"not measured: {row.get('error', 'nothing to compare with')}"
    if value <= limit:
        return f"met: {value:.2f}, at most {limit:g}"
    return f"MISSED by {value - limit:.2f}: {value:.2f}, at most {limit:g}"


def save_json(result, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def merged(kept, result, is_ordinary):
    """What the pages have, with the scenarios of this run in place of theirs. The machine is told of the ordinary ones."""
    facts = result["machine"]
    part = "" if result.get("length", 1) == 1 else f", at {result['length']:g} of its length"
    measured = {} if is_ordinary else {"measured": f"Measured at {facts['Commit']} on {facts['Date']}{part}."}
    scenarios = {key: scenario | measured for key, scenario in result["scenarios"].items()}
    if is_ordinary:
        others = {key: scenario for key, scenario in kept["scenarios"].items() if "measured" in scenario}
        return result | {"servers": kept["servers"] | result["servers"], "scenarios": scenarios | others}
    return kept | {"servers": result["servers"] | kept["servers"], "scenarios": kept["scenarios"] | scenarios}


def renewed(kept, result):
    """The page of Python apps, with the scenarios of this run in place of theirs."""
    part = "" if result.get("length", 1) == 1 else f", at {result['length']:g} of its length"
    facts = result["machine"]
    told = f"Measured at {facts['Commit']} on {facts['Date']}, load before: {facts['Load before']}{part}."
    scenarios = {key: scenario | {"measured": told} for key, scenario in result["scenarios"].items()}
    return result | {"servers": kept["servers"] | result["servers"], "scenarios": kept["scenarios"] | scenarios}


def update_page(result, page, plots):
    """One page with the aims at its end."""
    aims = "## Aims\n\n" + "".join(_item(line) for line in goals(result))
    replace(page, markdown(result, plots) + aims)


def update_markdown(result, docs, plots):
    """What users read, in benchmarks.md; how far our own aims are, in performance.md."""
    replace(docs / "benchmarks.md", markdown(result, plots))
    replace(docs / "performance.md", "".join(_item(line) for line in goals(result)))


def _item(text):
    """Of a list, as wide as the pages are."""
    options = {"width": 120, "break_long_words": False, "break_on_hyphens": False}
    return textwrap.fill(f"- {text}", subsequent_indent="  ", **options) + "\n"


def replace(page, text):
    """What is between the markers."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no markers")
    page.write_text(f"{before}{BEGIN}\n{text}{END}{after}")


def markdown(result, plots):
    lines = ["## The machine", "", "| | |", "|---|---|"]
    lines += [f"| {key} | {value} |" for key, value in result["machine"].items()]
    lines += ["", f"{result['rounds']} rounds of {result['seconds']:g} s for each server in each scenario.", ""]
    lines += ["## The servers", "", "| server | version | what differs |", "|---|---|---|"]
    lines += [f"| {name} | {server['version']} | {server['differs']} |" for name, server in result["servers"].items()]
    lines += [""] + [f"- {line}" for line in result["left_out"]]
    lines += [""]
    for key, (title, table) in zip(result["scenarios"], _tables(result)):
        lines += [f"## {title}", ""]
        if key in plots:
            lines += [f"![{title}]({plots[key]})", ""]
        lines += ["| " + " | ".join(table.headings) + " |", "|---|" + "---:|" * (len(table.headings) - 1)]
        lines += ["| " + " | ".join(row) + " |" for row in table.rows] + [""]
        lines += [f"- {note}" for note in table.notes] + ([""] if table.notes else [])
    return "\n".join(lines) + "\n"


class _Table:
    def __init__(self, scenario):
        self.headings = ["", *(heading for _, heading, _ in scenario["columns"])]
        self.rows = [[name, *_cells(scenario, row)] for name, row in scenario["servers"].items()]
        self.notes = [f"{name}: failed: {row['error']}" for name, row in scenario["servers"].items() if "error" in row]
        if scenario["note"]:
            self.notes.append(scenario["note"])
        if "measured" in scenario:
            self.notes.append(scenario["measured"])
        if different := _head_sizes(scenario):
            self.notes.append(f"Bytes of the answers' heads: {different}.")


def _tables(result):
    return [(scenario["title"], _Table(scenario)) for scenario in result["scenarios"].values()]


def _head_sizes(scenario):
    sizes = {name: row["head_bytes"] for name, row in scenario["servers"].items() if "head_bytes" in row}
    return ", ".join(f"{name} {size}" for name, size in sizes.items()) if len(set(sizes.values())) > 1 else ""


def _cells(scenario, row):
    if "error" in row:
        return ["failed", *[""] * (len(scenario["columns"]) - 1)]
    return [_cell(row.get(field), decimals) for field, _, decimals in scenario["columns"]]


def _cell(value, decimals):
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:,.{decimals}f}"


def _heading(scenario, field):
    return next((heading for name, heading, _ in scenario["columns"] if name == field), field.replace("_", " "))
