"""Every slice's routes, listeners and jobs: the one list in which a new slice has to stand."""

from __future__ import annotations

from criachat.accounts.routes import routes as accounts_routes
from criachat.agent_bots.listeners import listeners as agent_bots_listeners
from criachat.agent_bots.pictures import jobs as agent_bots_jobs
from criachat.agent_bots.routes import inbox_routes as inbox_bot_routes
from criachat.agent_bots.routes import routes as agent_bots_routes
from criachat.audit.jobs import jobs as audit_jobs
from criachat.audit.listeners import listeners as audit_listeners
from criachat.audit.routes import routes as audit_routes
from criachat.auth.jobs import jobs as auth_jobs
from criachat.auth.listeners import listeners as auth_listeners
from criachat.auth.routes.passwords import routes as password_routes
from criachat.auth.routes.profile import routes as own_profile_routes
from criachat.auth.routes.second_factor import routes as second_factor_routes
from criachat.auth.routes.sessions import routes as sessions_routes
from criachat.auth.routes.sign_up import routes as sign_up_routes
from criachat.auth.routes.tokens import account_routes as account_token_routes
from criachat.auth.routes.tokens import leak_routes as leaked_token_routes
from criachat.auth.routes.tokens import reset_routes as reset_token_routes
from criachat.auth.routes.tokens import routes as token_routes
from criachat.automation.jobs import jobs as automation_jobs
from criachat.automation.routes import macro_routes
from criachat.automation.routes import routes as automation_routes
from criachat.campaigns.routes import inbox_routes as inbox_campaigns_routes
from criachat.campaigns.routes import routes as campaigns_routes
from criachat.canned_responses.routes import routes as canned_responses_routes
from criachat.channels.listeners import listeners as channels_listeners
from criachat.client_api.contacts import routes as client_contacts_routes
from criachat.client_api.conversations import routes as client_conversations_routes
from criachat.client_api.csat import routes as client_csat_routes
from criachat.client_api.inboxes import routes as client_inboxes_routes
from criachat.client_api.messages import routes as client_messages_routes
from criachat.contacts.jobs import jobs as contacts_jobs
from criachat.contacts.listeners import listeners as contacts_listeners
from criachat.contacts.routes import routes as contacts_routes
from criachat.contacts.routes import session_routes
from criachat.contacts.routes.notes import routes as notes_routes
from criachat.contacts.routes.transfers import file_routes as contact_file_routes
from criachat.contacts.routes.transfers import routes as contact_transfers_routes
from criachat.conversations.jobs import jobs as conversations_jobs
from criachat.conversations.listeners import listeners as conversations_listeners
from criachat.conversations.routes import ROUTES as CONVERSATIONS_ROUTES
from criachat.csat.listeners import listeners as csat_listeners
from criachat.csat.routes import routes as csat_routes
from criachat.custom_attributes.routes import routes as custom_attributes_routes
from criachat.feed.routes import routes as feed_routes
from criachat.help_center.jobs import jobs as help_center_jobs
from criachat.help_center.routes import routes as help_center_routes
from criachat.inboxes.jobs import jobs as inboxes_jobs
from criachat.inboxes.listeners import listeners as inboxes_listeners
from criachat.inboxes.routes import routes as inboxes_routes
from criachat.inboxes.routes.limits import routes as inbox_limits_routes
from criachat.integrations.routes import dashboard_app_routes
from criachat.integrations.routes import routes as integrations_routes
from criachat.kit import upkeep
from criachat.kit.avatars import routes as avatar_routes
from criachat.kit.events import Listeners
from criachat.kit.http.reference import routes as reference_routes
from criachat.kit.http.routes import Routes
from criachat.kit.jobs import Jobs
from criachat.kit.status import routes as status_routes
from criachat.labels.routes import routes as labels_routes
from criachat.messages.jobs import jobs as messages_jobs
from criachat.messages.listeners import listeners as messages_listeners
from criachat.messages.routes import ROUTES as MESSAGES_ROUTES
from criachat.notifications.jobs import jobs as notifications_jobs
from criachat.notifications.listeners import listeners as notifications_listeners
from criachat.notifications.routes import routes as notifications_routes
from criachat.notifications.routes import settings_routes as notification_settings_routes
from criachat.notifications.routes import subscription_routes as notification_subscription_routes
from criachat.platform_api.jobs import jobs as platform_jobs
from criachat.platform_api.listeners import listeners as platform_listeners
from criachat.platform_api.routes.accounts import routes as platform_accounts_routes
from criachat.platform_api.routes.agent_bots import routes as platform_bots_routes
from criachat.platform_api.routes.users import routes as platform_users_routes
from criachat.reports.listeners import listeners as reports_listeners
from criachat.reports.routes import conversation_routes as reporting_routes_of_conversations
from criachat.reports.routes import routes as reporting_routes
from criachat.saved_filters.routes import routes as saved_filters_routes
from criachat.search.jobs import jobs as search_jobs
from criachat.search.routes import routes as search_routes
from criachat.teams.routes import routes as teams_routes
from criachat.users.routes import activity_routes, agent_routes, profile_routes, role_routes
from criachat.webhooks.routes import delivery_routes as deliveries_routes
from criachat.webhooks.routes import inbox_routes as inbox_webhook_routes
from criachat.webhooks.routes import routes as webhooks_routes

ROUTES: tuple[Routes, ...] = (
    status_routes,
    reference_routes,
    accounts_routes,
    agent_routes,
    role_routes,
    activity_routes,
    profile_routes,
    own_profile_routes,
    sessions_routes,
    password_routes,
    second_factor_routes,
    sign_up_routes,
    token_routes,
    reset_token_routes,
    account_token_routes,
    leaked_token_routes,
    labels_routes,
    teams_routes,
    custom_attributes_routes,
    inboxes_routes,
    contacts_routes,
    session_routes,
    notes_routes,
    contact_transfers_routes,
    contact_file_routes,
    *CONVERSATIONS_ROUTES,
    *MESSAGES_ROUTES,
    search_routes,
    avatar_routes,
    canned_responses_routes,
    csat_routes,
    reporting_routes,
    reporting_routes_of_conversations,
    agent_bots_routes,
    inbox_bot_routes,
    help_center_routes,
    client_inboxes_routes,
    client_contacts_routes,
    client_conversations_routes,
    client_messages_routes,
    client_csat_routes,
    platform_users_routes,
    platform_accounts_routes,
    platform_bots_routes,
    inbox_limits_routes,
    audit_routes,
    automation_routes,
    macro_routes,
    integrations_routes,
    dashboard_app_routes,
    campaigns_routes,
    inbox_campaigns_routes,
    notifications_routes,
    notification_settings_routes,
    notification_subscription_routes,
    webhooks_routes,
    inbox_webhook_routes,
    deliveries_routes,
    feed_routes,
    saved_filters_routes,
)
LISTENERS: tuple[Listeners, ...] = (
    auth_listeners,
    platform_listeners,
    inboxes_listeners,
    contacts_listeners,
    conversations_listeners,
    messages_listeners,
    csat_listeners,
    reports_listeners,
    channels_listeners,
    notifications_listeners,
    audit_listeners,
    agent_bots_listeners,
)
JOBS: tuple[Jobs, ...] = (
    upkeep.jobs,
    auth_jobs,
    agent_bots_jobs,
    platform_jobs,
    inboxes_jobs,
    contacts_jobs,
    conversations_jobs,
    messages_jobs,
    help_center_jobs,
    notifications_jobs,
    audit_jobs,
    search_jobs,
    automation_jobs,
)
