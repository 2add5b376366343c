"""Keys, tokens and passwords that a log happens to hold do not travel on in a report.

Command lines, tracebacks and settings are shown so that a person sees why a run ended; what looks like a secret in them
is replaced by `***`. A token of a language model (`pad_token=50256`, `tokens: 1024`) is none.

Names of files, runs and tags tell things apart: there only what can hardly be anything but a key is replaced, and a
digest follows, so that two names stay two. Nobody finds by trial which 16 random letters and digits have it.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

MASK = "***"

# Forms that say by themselves what they are.
_KNOWN = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{16,}|sk-[\w-]{16,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}|xox[abposr]-[\w-]{10,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}"
    r"|eyJ[\w-]{8,200}\.[\w-]{8,}\.[\w-]*)"
)
_BEARER = re.compile(r"(?i)\b((?:bearer|basic)\s+)(?=\S*\d)[\w.~+/=-]{16,}")
_IN_ADDRESS = re.compile(r"(://[^\s/:@]{0,100}:)[^\s/@]{1,200}(?=@)")
# `NAME = value`, `"name": "value"`, `--name value`, where the name says that the value is secret.
_SECRET_NAME = (
    r"(?:(?:api|access|secret|private|auth|account|signing|client|wandb|comet|neptune|hub|hf|bot|session|refresh)"
    r"[_\-. ]?(?:key|token|secret)|secret|passw(?:or)?d|passphrase|credentials?)"
)
_NAMED = re.compile(rf"(?i)({_SECRET_NAME}['\"]?(?:\s*[=:]\s*|\s+(?=['\"]))['\"]?)(?!\s)([^\s'\",;)}}\]]{{6,}})")
_OPTION = re.compile(rf"(?i)(--?[\w-]{{0,40}}?{_SECRET_NAME}[ =]['\"]?)([^\s'\"]{{4,}})")
_LOGIN = re.compile(r"(?i)\b(login(?: --[\w-]+)* )(?=\S*\d)([A-Za-z0-9]{32,})\b")
_LONG_TOKEN = re.compile(r"(?i)(\btoken['\"]?\s*[=:]\s*['\"]?)(?=[\w.-]*\d)(?=[\w.-]*[A-Za-z])([\w.-]{20,})")
_ARMOUR = re.compile(r"^\s*[A-Za-z0-9+/]{60,}={0,2}\s*$")
_SIGNS = (
    "hf_ sk- gho_ ghp_ ghr_ ghs_ ghu_ github_pat glpat akia asia xox aiza ya29 eyj bearer basic :// key token secret"
    " pass credential login"
).split()  # in lower case: without any of these there is nothing to look for
_IN_NAME = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"hf_(?=[A-Za-z]*\d)[A-Za-z0-9]{30,}|gh[pousr]_(?=[A-Za-z]*\d)[A-Za-z0-9]{20,}"
    r"|(?:github_pat_|glpat-|sk-(?:proj-|ant-api\d\d-)?)(?=[A-Za-z]*\d)[A-Za-z0-9]{20}[\w-]*"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])|xox[abposr]-\d[\w-]{15,}|AIza[\w-]{35}"
    r"|eyJ[\w-]{8,200}\.[\w-]{8,}\.[\w-]{8,})"
    rf"|(?P<said>(?i:{_SECRET_NAME}|(?<![a-z])(?<![a-z]_)token)[=:])"
    r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16}[\w+~-]*"
)


@lru_cache(maxsize=4096)  # files of one program have the same tags
def masked_name(name: str) -> str:
    """The name of a file, a run or a tag with each key or token in it replaced; different ones stay different."""
    return _IN_NAME.sub(_fingerprint, name) if _has_signs(name) else name


def _has_signs(text: str) -> bool:
    lowered = text.lower()
    return any(sign in lowered for sign in _SIGNS)


def _fingerprint(found: re.Match[str]) -> str:
    said = found["said"] or ""
    return f"{said}{MASK}{hashlib.sha256(found[0][len(said) :].encode('utf-8', 'replace')).hexdigest()[:8]}"


def masked(text: str) -> str:
    """The text with everything in it that looks like a secret replaced."""
    if _ARMOUR.match(text):
        return MASK
    if not _has_signs(text):
        return text
    text = _KNOWN.sub(MASK, text)
    for pattern in (_BEARER, _IN_ADDRESS, _NAMED, _OPTION, _LOGIN, _LONG_TOKEN):
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text
