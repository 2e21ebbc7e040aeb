"""The sentences of the mails that help centres send."""

from __future__ import annotations

from collections.abc import Mapping

from criachat.kit.languages import Language
from criachat.kit.mail import Template

INSTRUCTIONS: Mapping[Language, Template] = {
    "en": Template(
        subject="Set up {domain} for the help centre “{name}”",
        paragraphs=(
            "The help centre “{name}” is to be found under {domain}.",
            "Please add this record where the names of that domain are kept:",
            "{domain}  CNAME  {host}",
            "It may take some hours until it is known everywhere.",
        ),
    ),
    "pt_BR": Template(
        subject="Configure {domain} para a central de ajuda “{name}”",
        paragraphs=(
            "A central de ajuda “{name}” deve ser encontrada em {domain}.",
            "Adicione este registro onde os nomes desse domínio são mantidos:",
            "{domain}  CNAME  {host}",
            "Pode levar algumas horas até que seja conhecido em toda parte.",
        ),
    ),
}
