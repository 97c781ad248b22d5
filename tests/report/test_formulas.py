"""Formulas convert to well-formed MathML, or are refused."""

import xml.etree.ElementTree as ET

import pytest

from cxlib.report.formulas import FormulaError, to_mathml


@pytest.mark.parametrize(
    ("latex", "holds"),
    [
        (r"\hat{p} \pm 1.96\sqrt{\frac{p(1-p)}{n}}", "msqrt"),
        (r"\text{NPS} = 100\,(p_+ - p_-)", "mtext"),
        (r"{}_2F_1(a,b;c;z)", "msub"),
        (r"\sum_{i=1}^{n} x_i < 3", "munderover"),
        (r"L(r, \alpha, a, b \mid X=x, t_x, T)", "msub"),
        (r"\binom{n}{k}", "mfrac"),
    ],
)
def test_formulas_of_the_field_convert(latex, holds):
    for block in (False, True):
        root = ET.fromstring(to_mathml(latex, block=block))
        assert root.tag == "math"
        assert root.get("display") == ("block" if block else "inline")
        tags = {node.tag for node in root.iter()}
        # latex2mathml writes the limits of an inline sum as sub- and superscript
        assert holds in tags or (holds == "munderover" and "msubsup" in tags)


@pytest.mark.parametrize(
    "latex",
    [r"\nonsense{x}", r"\frac{1}", "x_{", r"\left( x", r"\begin{aligned}a&=b\end{aligned}"],
)
def test_what_cannot_be_shown_is_named(latex):
    with pytest.raises(FormulaError) as caught:
        to_mathml(latex)
    assert latex in str(caught.value)


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{<meta></meta>}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{background:url(//x.example)}{x}",
    ],
)
def test_markup_and_links_do_not_pass_through_a_formula(latex):
    with pytest.raises(FormulaError, match="markup, a link or a style"):
        to_mathml(latex)
