"""Formulas as MathML, which browsers render without scripts or network access."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils.nodes import SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.errors import ExtensionError

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

FRACTION_OF_DIGITS = re.compile(r"(\\t?frac)(\d)(\d)")
"""docutils reads the 12 of `\\frac12` as one number."""

BAR = re.compile(r'<mover accent="true">(\s*<mi>.</mi>\s*<mo stretchy="false">\u02c9</mo>)')
"""As an accent, browsers without a mathematical font draw the bar through the letter."""


def as_mathml(tex: str, *, block: bool) -> str:
    r"""One formula.

    Args:
        tex: LaTeX; `\lt` and `\gt` are accepted, because the Markdown of code hosts needs them.
        block: Display it on separate lines.

    Raises:
        ExtensionError: The formula contains an unknown command.
    """
    plain = FRACTION_OF_DIGITS.sub(r"\1{\2}{\3}", tex.replace(r"\lt", "<").replace(r"\gt", ">"))
    try:
        return BAR.sub(r"<mover>\1", str(tex2mathml(plain, as_block=block)))
    except MathError as error:
        raise ExtensionError(f"a formula cannot be read ({error}): {tex}") from error


def _inline(writer: HTML5Translator, node: nodes.math) -> None:
    writer.body.append(as_mathml(node.astext(), block=False))
    raise SkipNode


def _block(writer: HTML5Translator, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="formula">{as_mathml(node.astext(), block=True)}</div>')
    raise SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers the renderer `mathml`."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
