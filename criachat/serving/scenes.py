"""The people of the sample account, and what they talk about."""

from __future__ import annotations

from typing import Final

import msgspec

LABELS: Final = (
    ("entrega", "Pedidos a caminho", "#1f93ff"),
    ("pagamento", "Pix, boleto e cartão", "#e27d12"),
    ("troca", "Trocas e devoluções", "#8e44ad"),
    ("vip", "Clientes de muitos anos", "#2ecc71"),
    ("bug", "Something is broken in the app", "#e74c3c"),
)
TEAMS: Final = (("vendas", "Antes da compra"), ("suporte", "Depois da compra"))
INBOXES: Final = ("Aplicativo", "Loja on-line")
AGENTS: Final = ("Ana Beatriz Moura", "Caio Nakamura", "Jéssica Prado", "Thomas Reed")
BOT: Final = "Atendente virtual"
# fmt: off
CONTACTS: Final = (
    "Rosa Lindemann", "Pedro Alcântara", "Maria Eduarda Nunes", "Emily Carter", "João Vítor Sá", "Liam O'Connor",
    "Iara Tupinambá", "Sofia Bianchi", "Antônio Farias", "Grace Kim", "Luana Peçanha", "Noah Williams",
    "Cecília Rangel", "Benedito Ramos", "Olivia Novak", "Davi Lucas Pinto", "Helena Duarte", "Ethan Brooks",
    "Yasmin Haddad", "Raimunda Queiroz", "Marcos Vinícius Teles", "Chloe Dubois", "Tainá Guarani", "Arthur Pimentel",
)
# fmt: on


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation. Lines with `>` are the team's, those with `#` private notes, all others the contact's."""

    lines: tuple[str, ...]
    labels: tuple[str, ...] = ()
    priority: str | None = None


SCENES: Final = (
    Scene(
        lines=(
            "Oi! Meu pedido 48213 ainda não chegou, o prazo era ontem.",
            "> Olá! Vou verificar com a transportadora e já te respondo.",
            "# Transportadora confirma extravio. Reenviar sem custo.",
            "> Já pedimos um novo envio, chega até sexta. Desculpe o transtorno!",
            "Obrigada, fico no aguardo 🙏",
        ),
        labels=("entrega",),
    ),
    Scene(
        lines=(
            "Hi, the app closes by itself when I open the payment screen.",
            "> Sorry about that! Which phone and which version of the app do you have?",
            "Pixel 8, version 5.2.1. I reinstalled it twice already.",
            "# Reproduced on Android 15. Ticket opened with engineering.",
        ),
        labels=("bug",),
        priority="high",
    ),
    Scene(
        lines=(
            "Paguei por Pix há duas horas e o pedido continua pendente.",
            "> Pode enviar o comprovante, por favor?",
            "Enviei por e-mail agora.",
            "> Recebido, pagamento confirmado. Seu pedido já está em separação.",
            "Perfeito, muito rápido!",
        ),
        labels=("pagamento",),
    ),
    Scene(
        lines=("Vocês têm esse tênis no tamanho 41?",),
    ),
    Scene(
        lines=(
            "Quero trocar o vestido, ficou grande.",
            "> Sem problema! Gero a etiqueta de devolução agora. Prefere outro tamanho ou um vale?",
            "Um P, se tiver.",
            "> Reservei o P para você. A etiqueta está no seu e-mail.",
        ),
        labels=("troca",),
    ),
    Scene(
        lines=(
            "I was charged twice for the same order.",
            "> I see both charges. I have asked for the second one to be returned; it takes up to three working days.",
            "Thank you. Could you confirm by e-mail as well?",
        ),
        labels=("pagamento",),
        priority="urgent",
    ),
    Scene(
        lines=(
            "Sou cliente desde 2016, existe algum desconto de fidelidade?",
            "# Oferecer 15 % e frete grátis, alçada da supervisão.",
            "> Existe sim! Liberei 15 % e frete grátis no seu próximo pedido.",
            "Que delícia, vou aproveitar hoje mesmo.",
        ),
        labels=("vip",),
        priority="medium",
    ),
    Scene(
        lines=(
            "Do you ship to Portugal?",
            "> We do, in about nine days. Shipping is free above 60 €.",
            "Great, thanks!",
        ),
    ),
    Scene(
        lines=("Boa noite, a loja física abre no feriado?",),
        priority="low",
    ),
    Scene(
        lines=(
            "The coupon PRIMAVERA10 says it has expired, but your newsletter says it is good until Sunday.",
            "> You are right, our mistake. It works again; please try once more.",
            "It did. Thanks for the quick fix!",
        ),
    ),
)
