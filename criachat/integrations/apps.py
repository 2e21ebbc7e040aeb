"""The apps there are, and what each is set up with.

Those that are connected by signing in over there come with the slices that can do so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast

import msgspec

from criachat.integrations.errors import SettingsInvalid

HookType = Literal["account", "inbox"]
LONGEST_SETTING: Final = 20_000
TYPES: Final[Mapping[str, type]] = {"string": str, "object": dict, "boolean": bool}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One thing an app is set up with."""

    name: str
    label: str
    kind: Literal["string", "object", "boolean"] = "string"
    is_required: bool = True
    is_visible: bool = False


class App(msgspec.Struct, frozen=True, kw_only=True):
    """One app. A `feature` that is named must be switched on in the account."""

    id: str
    name: str
    description: str
    short_description: str | None = None
    logo: str
    hook_type: HookType = "account"
    allows_several: bool = False
    settings: tuple[Setting, ...] = ()
    feature: str | None = None


GOOGLE: Final = (
    Setting(name="project_id", label="Project", is_visible=True),
    Setting(name="credentials", label="Service account key (JSON)", kind="object"),
)
APPS: Final[Mapping[str, App]] = {
    app.id: app
    for app in (
        App(
            id="webhook",
            name="Webhooks",
            description="Tell other systems over HTTP what happens in the account.",
            logo="webhooks.png",
            allows_several=True,
        ),
        App(
            id="dashboard_apps",
            name="Dashboard apps",
            description="Show pages of your own beside conversations.",
            logo="dashboard_apps.png",
            allows_several=True,
        ),
        App(
            id="dialogflow",
            name="Dialogflow",
            description="Have an agent of Dialogflow answer first, and hand over to people.",
            short_description="An agent that answers first",
            logo="dialogflow.png",
            hook_type="inbox",
            allows_several=True,
            settings=(*GOOGLE, Setting(name="region", label="Region", is_required=False, is_visible=True)),
        ),
        App(
            id="google_translate",
            name="Google Translate",
            description="Translate messages for agents.",
            short_description="Translations for agents",
            logo="google-translate.png",
            settings=GOOGLE,
        ),
        App(
            id="openai",
            name="OpenAI",
            description="Suggest answers, summaries and labels.",
            short_description="Suggested answers and summaries",
            logo="openai.png",
            settings=(
                Setting(name="api_key", label="API key"),
                Setting(name="label_suggestion", label="Suggest labels", kind="boolean", is_required=False),
            ),
        ),
        App(
            id="dyte",
            name="Dyte",
            description="Call customers by video from a conversation.",
            short_description="Video calls",
            logo="dyte.png",
            settings=(
                Setting(name="api_key", label="API key"),
                Setting(name="organization_id", label="Organisation", is_visible=True),
            ),
        ),
        App(
            id="leadsquared",
            name="LeadSquared",
            description="Keep leads in step with contacts and conversations.",
            short_description="Leads in step with contacts",
            logo="leadsquared.png",
            feature="crm_integration",
            settings=(
                Setting(name="access_key", label="Access key"),
                Setting(name="secret_key", label="Secret key"),
                Setting(name="endpoint_url", label="Endpoint", is_required=False, is_visible=True),
                Setting(name="app_url", label="App", is_required=False, is_visible=True),
                Setting(name="timezone", label="Time zone", is_required=False, is_visible=True),
                Setting(name="enable_conversation_activity", label="Conversations", kind="boolean", is_required=False),
                Setting(name="enable_transcript_activity", label="Transcripts", kind="boolean", is_required=False),
                Setting(name="conversation_activity_score", label="Score", is_required=False),
                Setting(name="transcript_activity_score", label="Score of transcripts", is_required=False),
            ),
        ),
    )
}
# Their hooks are webhooks and pages, which have endpoints of their own.
PLACEHOLDERS: Final = ("webhook", "dashboard_apps")


def allowed_apps(features: Sequence[str]) -> list[App]:
    """The apps that an account with these features can use."""
    return [app for app in APPS.values() if app.feature is None or app.feature in features]


def find_app(features: Sequence[str], app_id: object) -> App | None:
    """The app with this id, if an account with these features can use it."""
    return next((app for app in allowed_apps(features) if app.id == app_id), None)


def read_settings(app: App, sent: object) -> dict[str, Any]:
    """What the app is to be set up with: all that it needs, and nothing it does not know."""
    if not isinstance(sent, dict):
        if sent is None and not any(setting.is_required for setting in app.settings):
            return {}
        raise SettingsInvalid
    values = cast(dict[str, Any], sent)
    if values.keys() - {setting.name for setting in app.settings}:
        raise SettingsInvalid
    for setting in app.settings:
        if setting.name in values:
            _check(setting, values[setting.name])
        elif setting.is_required:
            raise SettingsInvalid
    return values


def _check(setting: Setting, value: object) -> None:
    if type(value) is not TYPES[setting.kind] or (setting.is_required and value == ""):
        raise SettingsInvalid
    if len(msgspec.json.encode(value)) > LONGEST_SETTING:
        raise SettingsInvalid


def json_schema(app: App) -> dict[str, Any]:
    """What the app is set up with, as a JSON schema."""
    return {
        "type": "object",
        "properties": {setting.name: {"type": setting.kind} for setting in app.settings},
        "required": [setting.name for setting in app.settings if setting.is_required],
        "additionalProperties": False,
    }


def form_schema(app: App) -> list[dict[str, Any]]:
    """The same, as the fields of a form."""
    kinds = {"string": "text", "object": "textarea", "boolean": "checkbox"}
    return [
        {
            "label": setting.label,
            "type": kinds[setting.kind],
            "name": setting.name,
            **({"validation": "required"} if setting.is_required else {}),
        }
        for setting in app.settings
    ]
