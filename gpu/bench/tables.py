"""Results of peers.py as text, Markdown and JSON, and what they say about the targets of docs/performance.md. Reads the
result document alone, so that any table can be made again from the JSON; needs nothing but the standard library.

A row is one problem: its sizes and, for each contestant, either its times of all rounds and its memory, or the reason
why it did not run. A contestant that did not run is a line of every table: nothing is left out silently.
"""
from spread import ratio, spread
from recipe import causal_flop

BASE = "ours fused"
PLAIN = "ours plain"
CUDNN = "sdpa cudnn"
FLASH = "sdpa flash"
EAGER = "recipe eager"
MERGED = "recipe fused merge"
CALLS = "recipe calls only"
CONTESTANTS = (BASE, PLAIN, CUDNN, FLASH, EAGER, MERGED, CALLS)

MEANING = {
    BASE: "fused Dual Chunk Attention, rotary included",
    PLAIN: "the same kernel with one chunk: plain causal attention, rotary included",
    CUDNN: "PyTorch SDPA, plain causal, cuDNN backend; no rotary",
    FLASH: "PyTorch SDPA, plain causal, flash backend; no rotary",
    EAGER: "three calls for each chunk on the faster of those backends, eager rotary and merge in fp32",
    MERGED: "the same with our merge kernel",
    CALLS: "the attention calls of the recipe alone: queries and keys rotated before, nothing merged",
}
COLUMNS = ("n", "d", "heads", "C/w", "dtype", "contestant", "ms: median (quartiles)", "TFLOP/s",
           "time / ours fused (quartiles)", "peak MiB + plan", "rounds")
MIB = 2.0 ** 20


def sizes(row):
    return (str(row["n"]), str(row["head_dim"]), f"{row['heads_q']}/{row['heads_kv']}",
            f"{row['chunk_size']}/{row['local_size']}", row["dtype"])


def tera(row, milliseconds):
    return causal_flop(row["batch"], row["n"], row["heads_q"], row["head_dim"]) / milliseconds * 1e3 / 1e12


def with_quartiles(value, digits):
    return f"{value.median:.{digits}f} ({value.low:.{digits}f} .. {value.high:.{digits}f})"


def memory(result):
    """What a run takes above its inputs, results included; and what a plan holds for all runs."""
    plan = f" + {result['plan_bytes'] / MIB:.1f}" if result["plan_bytes"] else ""
    return f"{result['peak_bytes'] / MIB:.1f}{plan}"


def line(row, name, result):
    """The cells of one contestant of one row."""
    if "not_run" in result:
        return sizes(row) + (name, "not run: " + result["not_run"], "", "", "", "")
    time = spread(result["ms"])
    base = row["contestants"].get(BASE, {}).get("ms")
    relative = with_quartiles(ratio(result["ms"], base), 3) if base else "no base"
    return sizes(row) + (name, with_quartiles(time, 3), f"{tera(row, time.median):.1f}", relative,
                         memory(result), str(time.count))


def lines(document):
    return [line(row, name, result) for row in document["rows"] for name, result in row["contestants"].items()]


def header_lines(document):
    return [(name, str(value)) for name, value in document["header"].items()]


def text(document):
    """For a terminal."""
    head = header_lines(document)
    width = max(len(name) for name, _ in head)
    parts = [f"{name:{width}}  {value}" for name, value in head] + [""]
    table = [COLUMNS] + lines(document)
    widths = [max(len(cells[i]) for cells in table if "not run" not in cells[6] or i != 6) for i in range(len(COLUMNS))]
    parts += ["  ".join(f"{cell:{w}}" for cell, w in zip(cells, widths)).rstrip() for cells in table]
    parts += [""] + [f"{mark:13} {what}: {found}" for what, found, mark in targets(document)]
    return "\n".join(parts) + "\n"


def cell(word):
    return word.replace("|", "\\|").replace("\n", " ")


def markdown(document):
    """A section for docs/performance.md."""
    header = document["header"]
    parts = [f"### {header.get('card', 'unknown card')}, {header.get('date', 'undated')}", ""]
    parts += [f"* {cell(name)}: {cell(value)}" for name, value in header_lines(document)]
    parts += ["", "| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    parts += ["| " + " | ".join(cell(word) for word in cells) + " |" for cells in lines(document)]
    parts += ["", "| target | measured | |", "|---|---|---|"]
    parts += [f"| {cell(what)} | {cell(found)} | {mark} |" for what, found, mark in targets(document)]
    names = [name for name in CONTESTANTS if any(name in row["contestants"] for row in document["rows"])]
    parts += [""] + [f"* {name}: {MEANING[name]}." for name in names]
    return "\n".join(parts) + "\n"


def of(row, name):
    return row["contestants"].get(name, {}).get("ms")


def where(row):
    return f"n={row['n']} d={row['head_dim']} {row['dtype']} C={row['chunk_size']} w={row['local_size']}"


def judged(found):
    """found: (words, whether the target is met) of each row it speaks of."""
    if not found:
        return "not measured", "NOT MEASURED"
    return "; ".join(words for words, _ in found), "met" if all(ok for _, ok in found) else "NOT MET"


def targets(document):
    """(target, what was measured, met / NOT MET / NOT MEASURED) for the targets of docs/performance.md. A target is met if
    every row that it speaks of meets it."""
    rows = document["rows"]

    def worst(speaks_of, value, fits, digits=3, after=""):
        found = []
        for row in rows:
            number = value(row) if speaks_of(row) else None
            if number is not None:
                found.append((f"{number:.{digits}f}{after} at {where(row)}", fits(number)))
        return judged(found)

    def fused_over_plain(row):
        return ratio(of(row, BASE), of(row, PLAIN)).median if of(row, BASE) and of(row, PLAIN) else None

    def cudnn_over_fused(row):
        return ratio(of(row, CUDNN), of(row, BASE)).median if of(row, BASE) and of(row, CUDNN) else None

    def rate(row):
        return tera(row, spread(of(row, BASE)).median) if of(row, BASE) else None

    def extra_queries(row):
        """Memory above out and lse, the plan's tables included, in units of q."""
        if not of(row, BASE):
            return None
        q = row["batch"] * row["n"] * row["heads_q"] * row["head_dim"] * 2
        lse = row["batch"] * row["n"] * row["heads_q"] * 4
        taken = row["contestants"][BASE]
        return (taken["peak_bytes"] + taken["plan_bytes"] - q - lse) / q

    return [
        ("ours fused / ours plain at most 1.03 at n >= 32768",
         *worst(lambda row: row["n"] >= 32768, fused_over_plain, lambda x: x <= 1.03)),
        ("ours fused / ours plain at most 1.05 at n = 8192",
         *worst(lambda row: row["n"] == 8192, fused_over_plain, lambda x: x <= 1.05)),
        ("cuDNN plain causal / ours fused at least 0.45 at n >= 8192",
         *worst(lambda row: row["n"] >= 8192, cudnn_over_fused, lambda x: x >= 0.45)),
        ("at least 300 TFLOP/s at n = 16384, d = 128 (H200)",
         *worst(lambda row: row["n"] == 16384 and row["head_dim"] == 128, rate, lambda x: x >= 300, 1)),
        ("extra memory besides out and lse at most one q",
         *worst(lambda row: True, extra_queries, lambda x: x <= 1, 3, " q")),
    ]
