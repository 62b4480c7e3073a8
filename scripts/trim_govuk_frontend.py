"""Make registry/http/web/static/govuk-frontend.css out of a release of govuk-frontend.

    npm pack govuk-frontend@6.6.0 && tar xzf govuk-frontend-6.6.0.tgz
    python scripts/trim_govuk_frontend.py package/dist/govuk/govuk-frontend.min.css

Only the rules of the components named below are kept. The typeface, which may be used on gov.uk alone, and
everything that fetches a file is left out; and sides are named by the direction of the text (start and end,
not left and right), so that the pages also work where it runs from right to left.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

TARGET = Path(__file__).parent.parent / "registry/http/web/static/govuk-frontend.css"

KEPT = re.compile(
    r"""govuk-(?:template(?:__body)?|width-container|main-wrapper|skip-link|visually-hidden|link
    |heading-(?:xl|l|m|s)|caption-(?:l|m)|body|body-(?:l|s|m)|list|list--(?:bullet|number|spaced)|hint|label|label--(?:m|s|l)
    |button|button--(?:secondary|start)|input|form-group|form-group--error|input--error|error-message|select|details(?:__[a-z-]+)?
    |error-summary(?:__[a-z-]+)?|inset-text|summary-list(?:__[a-z]+)?|section-break(?:--[a-z]+)?
    |fieldset(?:__legend)?)(?![\w-])""",
    re.VERBOSE,
)
CLASS = re.compile(r"\.(govuk-[\w-]+)")
LOGICAL = [
    (re.compile(r"\b(margin|padding|border)-left\b"), r"\1-inline-start"),
    (re.compile(r"\b(margin|padding|border)-right\b"), r"\1-inline-end"),
    (re.compile(r"(?<![\w-])left:"), "inset-inline-start:"),
    (re.compile(r"(?<![\w-])right:"), "inset-inline-end:"),
    (re.compile(r"\b(text-align|float):left\b"), r"\1:start"),
    (re.compile(r"\b(text-align|float):right\b"), r"\1:end"),
    (re.compile(r"float:(start|end)\b"), r"float:inline-\1"),
]
BANNER = """\
/* From govuk-frontend 6.6.0, MIT licence: LICENSE-govuk-frontend.txt.
   Trimmed by scripts/trim_govuk_frontend.py. */
"""


def rules(css: str) -> Iterator[tuple[str, str]]:
    """Each rule or block at the top of `css`: what stands before its brace, and what within."""
    position = 0
    while (opening := css.find("{", position)) >= 0:
        prelude, depth, end = css[position:opening].strip(), 1, opening + 1
        while depth:
            depth += {"{": 1, "}": -1}.get(css[end], 0)
            end += 1
        yield prelude, css[opening + 1 : end - 1]
        position = end


def trimmed(css: str) -> str:
    return "".join(filter(None, (_kept(prelude, block) for prelude, block in rules(css))))


def _kept(prelude: str, block: str) -> str:
    if prelude.startswith("@font-face"):
        return ""
    if prelude.startswith("@"):
        inner = trimmed(block)
        return f"{prelude}{{{inner}}}\n" if inner else ""
    selectors = [selector for selector in prelude.split(",") if _is_kept(selector)]
    return f"{','.join(selectors)}{{{_logical(block)}}}\n" if selectors and "url(" not in block else ""


def _is_kept(selector: str) -> bool:
    names = CLASS.findall(selector)
    return all(KEPT.fullmatch(name) for name in names) and (bool(names) or selector.startswith(":root"))


def _logical(block: str) -> str:
    block = block.replace("GDS Transport,arial,sans-serif", "var(--registry-font)")
    for pattern, replacement in LOGICAL:
        block = pattern.sub(replacement, block)
    return block


def main(source: str) -> None:
    css = re.sub(r"/\*.*?\*/", "", Path(source).read_text(), flags=re.DOTALL)
    css = css.removeprefix('@charset "UTF-8";')
    TARGET.write_text(BANNER + trimmed(css))
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
