"""What an account may be called, which language it speaks, and where it is written to."""

from __future__ import annotations

import re
from typing import Final

from criachat.accounts.errors import LocaleUnknown, NameBlank, SupportEmailInvalid
from criachat.kit.texts import EMAIL_ADDRESS

# The codes of ISO 639-1, with two that browsers and clients of the family send beside them.
# fmt: off
LANGUAGES: Final = frozenset((
    "aa", "ab", "ae", "af", "ak", "am", "an", "ar", "as", "av", "ay", "az", "ba", "be", "bg", "bi", "bm", "bn", "bo",
    "br", "bs", "ca", "ce", "ch", "co", "cr", "cs", "cu", "cv", "cy", "da", "de", "dv", "dz", "ee", "el", "en", "eo",
    "es", "et", "eu", "fa", "ff", "fi", "fil", "fj", "fo", "fr", "fy", "ga", "gd", "gl", "gn", "gu", "gv", "ha", "he",
    "hi", "ho", "hr", "ht", "hu", "hy", "hz", "ia", "id", "ie", "ig", "ii", "ik", "io", "is", "it", "iu", "ja", "jv",
    "ka", "kg", "ki", "kj", "kk", "kl", "km", "kn", "ko", "kr", "ks", "ku", "kv", "kw", "ky", "la", "lb", "lg", "li",
    "ln", "lo", "lt", "lu", "lv", "mg", "mh", "mi", "mk", "ml", "mn", "mr", "ms", "mt", "my", "na", "nb", "nd", "ne",
    "ng", "nl", "nn", "no", "nr", "nv", "ny", "oc", "oj", "om", "or", "os", "pa", "pi", "pl", "ps", "pt", "qu", "rm",
    "rn", "ro", "ru", "rw", "sa", "sc", "sd", "se", "sg", "sh", "si", "sk", "sl", "sm", "sn", "so", "sq", "sr", "ss",
    "st", "su", "sv", "sw", "ta", "te", "tg", "th", "ti", "tk", "tl", "tn", "to", "tr", "ts", "tt", "tw", "ty", "ug",
    "uk", "ur", "uz", "ve", "vi", "vo", "wa", "wo", "xh", "yi", "yo", "za", "zh", "zu",
))
# fmt: on
LOCALE: Final = re.compile(r"([a-z]{2,3})(?:_[A-Z]{2})?")


def kept_name(name: str) -> str:
    """The name without blanks around it; nothing is none."""
    if not name.strip():
        raise NameBlank
    return name.strip()


def is_locale(text: str) -> bool:
    """Whether this is the code of a language, with that of a country or without."""
    match = LOCALE.fullmatch(text)
    return match is not None and match[1] in LANGUAGES


def kept_locale(locale: str) -> str:
    """The code of a language, or a refusal."""
    if not is_locale(locale):
        raise LocaleUnknown
    return locale


def known_locale(locale: str) -> str:
    """The locale where it is the code of a language, otherwise English."""
    return locale if is_locale(locale) else "en"


def kept_support_email(address: str | None) -> str | None:
    """The address; blank is none."""
    if address and not EMAIL_ADDRESS.fullmatch(address):
        raise SupportEmailInvalid
    return address or None
