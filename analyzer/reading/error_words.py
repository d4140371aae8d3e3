"""How servers name what went wrong: codes, and patterns of their messages. `provider_errors` says what each means."""

from __future__ import annotations

from typing import Final

FILTERED: Final = (
    "content_filter",
    "content_policy_violation",
    "responsible_ai_policy_violation",
    "moderation_blocked",
    "prohibited_content",
)
SPENT: Final = (
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "insufficient_balance",
    "insufficient_credits",
    "access_terminated",
    "budget_exceeded",
)
BAD_KEY: Final = (
    "invalid_api_key",
    "authentication_error",
    "permission_error",
    "unauthenticated",
    "permission_denied",
    "expired_key",
    "no_db_connection",
)
TOO_LONG: Final = (
    r"context[ _](length|window|size)|maximum (context|input|prompt) |prompt is (too long|longer)|input is too long|"
    r"too many (input )?tokens|token (limit|count) .{0,40}exceed|exceed\w* .{0,40}(context|token limit|max_tokens)|"
    r"reduce (the length|your (prompt|message))|body too large"
)
NO_MODE: Final = (
    r"tool[_ ]?choice|(not|n't) support .{0,30}(tool|function)|no endpoints found that support|function calling|"
    r"function tools with|invalid schema for|response_format|json_schema|structured output"
)
SETTINGS: Final = (
    r"(temperature|seed|reasoning_effort|max_(completion_)?tokens|thinking|chat_template_kwargs|think|strict)\b"
)
NO_SETTING: Final = (
    rf"{SETTINGS}.{{0,40}}((not|n't) (be )?(support|permit|allow)|unsupported|deprecated|unknown|extra)|"
    rf"(unsupported|unknown|unrecognized|extra|unexpected|deprecated) .{{0,40}}{SETTINGS}"
)
