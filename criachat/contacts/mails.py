"""What contacts write to the team about files that were taken in or written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from criachat.kit.languages import ENGLISH, PORTUGUESE, Language
from criachat.kit.mail import Template

IMPORTED: Final[Mapping[Language, Template]] = {
    ENGLISH: Template(
        subject="Your contacts have been imported",
        paragraphs=("Of {total} rows, {taken} were taken in and {rejected} were not.",),
        button="See the rows that were not",
    ),
    PORTUGUESE: Template(
        subject="Seus contatos foram importados",
        paragraphs=("De {total} linhas, {taken} foram importadas e {rejected} não.",),
        button="Ver as linhas que não foram",
    ),
}
NOT_IMPORTED: Final[Mapping[Language, Template]] = {
    ENGLISH: Template(
        subject="Your contacts could not be imported",
        paragraphs=("The file could not be read, and nothing of it was taken in: {error}.",),
    ),
    PORTUGUESE: Template(
        subject="Seus contatos não puderam ser importados",
        paragraphs=("O arquivo não pôde ser lido, e nada dele foi importado: {error}.",),
    ),
}
EXPORTED: Final[Mapping[Language, Template]] = {
    ENGLISH: Template(
        subject="Your file of contacts is ready",
        paragraphs=("It has {rows} contacts. The link works for seven days, for whoever has it.",),
        button="Download",
    ),
    PORTUGUESE: Template(
        subject="Seu arquivo de contatos está pronto",
        paragraphs=("Ele tem {rows} contatos. O link funciona por sete dias, para quem o tiver.",),
        button="Baixar",
    ),
}
