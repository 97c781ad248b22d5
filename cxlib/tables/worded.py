"""Answers in words: "stimme zu" is a number only where somebody has said which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cxlib.tables.cells import SPACES, Reading, quoted

__all__ = ["ask_for_words", "in_numbers"]

SHOWN = 12


def in_numbers(cell: str, mapping: Mapping[str, float]) -> str:
    """SQL of the cell with the texts of the mapping replaced by their numbers."""
    if not mapping:
        return cell
    edges = quoted(rf"^[\s{SPACES}]+|[\s{SPACES}]+$")
    text = f"CAST({cell} AS VARCHAR)"
    bare = f"lower(regexp_replace({text}, {edges}, '', 'g'))"
    cases = {str(words).strip().lower(): score for words, score in mapping.items()}
    whens = " ".join(
        f"WHEN {quoted(words)} THEN {quoted(f'{score:g}')}" for words, score in cases.items()
    )
    return f"CASE {bare} {whens} ELSE {text} END"


def ask_for_words(reading: Reading, mapped: bool) -> Reading:
    """Texts among the scores are listed at length, with the mapping as the likely cure."""

    def cause_of(rule):
        def cause(texts):
            words = next(
                (t for t in texts if t and not any(c.isdigit() for c in t) and t != "..."), ""
            )
            if any("%" in text for text in texts if text):
                return "Are these per cent? Answers of single customers are needed."
            if not words:
                return rule.cause(texts)
            if mapped:
                return f'mapping= has no number for it; add {{"{words}": ...}}, or pass missing='
            return f'Are these answers in words? Pass mapping={{"{words}": ..., ...}}, or missing='

        return cause

    rules = tuple(
        replace(rule, cause=cause_of(rule), shown=SHOWN)
        if rule.must == "must be a number"
        else rule
        for rule in reading.rules
    )
    return replace(reading, rules=rules)
