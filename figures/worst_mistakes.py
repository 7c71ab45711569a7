"""The test digits on which the shipped network was most wrong, from its stored run; needs the full MNIST set."""

from capslib import digits, records, style, weights
from capslib.plots import digit_sheet
from capslib.plots.board import main

TITLE = "The worst mistakes of the shipped network"

RUN = f"article_capsnet-best-{weights.card('article_capsnet')['seed']}"
"""The run whose weights are shipped."""


def mistakes():
    """The stored mistakes, worst first: index, label, predicted and the ten lengths of each."""
    return records.stored(RUN)["test"]["mistakes"]


def alt():
    """What the figure shows, its numbers from the stored run."""
    pairs = []
    for m in mistakes():
        article = "an" if m["label"] == 8 else "a"
        should, won = m["scores"][m["label"]], m["scores"][m["predicted"]]
        pairs.append(f"{article} {m['label']} ({should:.2f}) read as {m['predicted']} ({won:.2f})")
    return (
        f"{len(pairs)} handwritten test digits in two rows, each with its true digit, the digit it was read as and the "
        f"lengths of both capsules. From the worst: {'; '.join(pairs)}."
    )


@style.context()
def draw():
    """A sheet of digits, worst first."""
    x = digits.load("full").x_test
    captions = [
        f"{m['label']} read as {m['predicted']}\n{m['scores'][m['label']]:.2f} : {m['scores'][m['predicted']]:.2f}"
        for m in mistakes()
    ]
    return digit_sheet(x[[m["index"] for m in mistakes()]], captions, columns=6)


if __name__ == "__main__":
    main(__file__, TITLE, alt(), draw())
