"""A picture as notebooks and pages show it, with a text for those who do not see it."""

import base64
import html


def bundle(png, alt) -> tuple[dict, dict]:
    """What IPython's `display` takes for a picture, and a widget's `_repr_mimebundle_` gives.

    JupyterLab drops the alt text of a plain PNG output, so the picture is also given as HTML, which Lab prefers and
    which an untrusted notebook shows as well. Where an output is collapsed, Lab shows its first line. An alt text there
    would answer the question that the picture is hidden for, so the HTML begins with a line of its own.

    Args:
        png: bytes.
        alt: what the picture shows, in a sentence or two.

    Returns:
        data, from MIME type to content, and metadata.
    """
    encoded = base64.b64encode(png).decode()
    data = {
        "text/plain": alt,
        "image/png": encoded,
        "text/html": f'<!-- a picture -->\n<img alt="{html.escape(alt)}" src="data:image/png;base64,{encoded}">',
    }
    return data, {"image/png": {"alt": alt}}
