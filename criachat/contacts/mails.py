"""What contacts write to the team about files that were taken in or written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from criachat.kit.languages import ENGLISH, PORTUGUESE, Language
from criachat.kit.mail import Template

IMPORTED: Final[Mapping[Language, Template]] = {
    ENGLISH: Template(
        subject="Your contacts have been imported",
        paragraphs=("Rows in the file: {total}. Taken in: {taken}. Left out: {rejected}.",),
        button="See the rows that were left out",
    ),
    PORTUGUESE: Template(
        subject="Seus contatos foram importados",
        paragraphs=("Linhas no arquivo: {total}. Importadas: {taken}. Deixadas de fora: {rejected}.",),
        button="Ver as linhas deixadas de fora",
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
        paragraphs=("Contacts in it: {rows}. The link works for seven days, for whoever has it.",),
        button="Download",
    ),
    PORTUGUESE: Template(
        subject="Seu arquivo de contatos está pronto",
        paragraphs=("Contatos nele: {rows}. O link funciona por sete dias, para quem o tiver.",),
        button="Baixar",
    ),
}
