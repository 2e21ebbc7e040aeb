"""Mailboxes for ten minutes: who signs up with one is never heard of again, and their account stays."""

from __future__ import annotations

from typing import Final

# The best known; the setting for blocked domains takes those that are missing.
# fmt: off
DOMAINS: Final = frozenset((
    "0-mail.com", "10minutemail.com", "10minutemail.net", "20minutemail.com", "33mail.com", "anonbox.net",
    "burnermail.io", "byom.de", "deadaddress.com", "discard.email", "discardmail.com", "discardmail.de",
    "dispostable.com", "dropmail.me", "emailondeck.com", "fakeinbox.com", "fakemail.net", "fakemailgenerator.com",
    "getairmail.com", "getnada.com", "grr.la", "guerrillamail.biz", "guerrillamail.com", "guerrillamail.de",
    "guerrillamail.info", "guerrillamail.net", "guerrillamail.org", "guerrillamailblock.com", "harakirimail.com",
    "inboxbear.com", "inboxkitten.com", "incognitomail.org", "jetable.org", "mail-temp.com", "mail-temporaire.fr",
    "mail.tm", "mailcatch.com", "maildrop.cc", "mailexpire.com", "mailinator.com", "mailinator.net",
    "mailinator2.com", "mailnesia.com", "mailnull.com", "mailpoof.com", "mailsac.com", "mailtemp.info",
    "meltmail.com", "mintemail.com", "minuteinbox.com", "moakt.com", "mohmal.com", "mvrht.com", "mytemp.email",
    "mytrashmail.com", "nada.email", "no-spam.ws", "nowmymail.com", "owlymail.com", "pokemail.net", "rootfest.net",
    "sharklasers.com", "smailpro.com", "spam4.me", "spambog.com", "spambox.us", "spamex.com", "spamfree24.org",
    "spamgourmet.com", "spamherelots.com", "spaml.com", "tempail.com", "temp-mail.io", "temp-mail.org",
    "tempemail.com", "tempinbox.com", "tempmail.com", "tempmail.dev", "tempmail.net", "tempmail.plus",
    "tempmailaddress.com", "tempmailo.com", "tempr.email", "throwawaymail.com", "tmail.io", "tmpmail.net",
    "tmpmail.org", "trash-mail.com", "trashmail.com", "trashmail.de", "trashmail.net", "trbvm.com", "wegwerfemail.de",
    "wegwerfmail.de", "wegwerfmail.net", "wegwerfmail.org", "yopmail.com", "yopmail.fr", "yopmail.net", "zetmail.com",
))
# fmt: on


def is_disposable(domain: str) -> bool:
    """Whether mailboxes of this domain, or of the one it is a part of, are there to be thrown away."""
    labels = domain.rstrip(".").split(".")
    return any(".".join(labels[place:]) in DOMAINS for place in range(len(labels) - 1))
