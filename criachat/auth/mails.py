"""The sentences of mails about signing in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from criachat.kit.languages import Language
from criachat.kit.mail import Template

PASSWORD: Final[Mapping[Language, Template]] = {
    "en": Template(
        subject="Choose a new password",
        paragraphs=(
            "Hello {name},",
            "somebody asked for a new password for you. If that was you, choose it here within six hours:",
            "If it was not, do nothing: your password stays as it is.",
        ),
        button="Choose a password",
    ),
    "pt_BR": Template(
        subject="Escolha uma nova senha",
        paragraphs=(
            "Olá {name},",
            "alguém pediu uma nova senha para você. Se foi você, escolha-a aqui em até seis horas:",
            "Se não foi, não faça nada: sua senha continua a mesma.",
        ),
        button="Escolher a senha",
    ),
}
INVITATION: Final[Mapping[Language, Template]] = {
    "en": Template(
        subject="You are invited to {account}",
        paragraphs=(
            "Hello {name},",
            "you are invited to answer customers together with the team of {account}.",
            "Choose a password within seven days, and you are in:",
        ),
        button="Accept the invitation",
    ),
    "pt_BR": Template(
        subject="Você foi convidado para {account}",
        paragraphs=(
            "Olá {name},",
            "você foi convidado para atender clientes com a equipe de {account}.",
            "Escolha uma senha em até sete dias, e pronto:",
        ),
        button="Aceitar o convite",
    ),
}
CONFIRMATION: Final[Mapping[Language, Template]] = {
    "en": Template(
        subject="Confirm your address",
        paragraphs=("Hello {name},", "is this your address? Then say so within seven days:"),
        button="Confirm the address",
    ),
    "pt_BR": Template(
        subject="Confirme seu endereço",
        paragraphs=("Olá {name},", "este endereço é seu? Então confirme em até sete dias:"),
        button="Confirmar o endereço",
    ),
}
