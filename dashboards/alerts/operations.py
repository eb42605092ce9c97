"""Operations of the API: see the folder's own modules for what they ask."""

from ..api.operation import Operation, Parameter
from . import answers, channels_asked, rules_asked
from .backtest import BackTest
from .rules_asked import MOST_EVENTS, Done, Saved, Tested

_DAYS = Parameter("days", "How far back", {"type": "integer", "minimum": 1, "maximum": 7})
_HISTORY = (
    Parameter("rule", "Of this rule only"),
    Parameter("cursor", "`next` of the page before"),
    Parameter("limit", "Events on a page", {"type": "integer", "minimum": 1, "maximum": MOST_EVENTS}),
)
_R, _C = rules_asked, channels_asked

OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", "/api/alerts", "Every rule with its state, and what waits to be sent", _R.listed, answers.Alerts),
    Operation("POST", "/api/alerts", "A new rule", _R.saved, Saved, body=_R.Draft, needs="configure"),
    Operation("GET", "/api/alert-choices", "What a rule can watch, and whom it can tell", _R.choices, _R.Choices),
    Operation("GET", "/api/alert-history", "What became of rules", _R.history, _R.History, takes=_HISTORY),
    Operation("GET", "/api/alert-rules", "The rules as an alerting-rules file of Prometheus", _R.prometheus),
    Operation("POST", "/api/alert-try", "When this rule would have fired", _R.tried, BackTest, body=_R.Draft),
    Operation("GET", "/api/alerts/{rule}", "One rule with its state", _R.one, answers.Alert),
    Operation("PUT", "/api/alerts/{rule}", "Change a rule", _R.saved, Saved, body=_R.Draft, needs="configure"),
    Operation("DELETE", "/api/alerts/{rule}", "Remove a rule", _R.removed, Done, needs="configure"),
    Operation("GET", "/api/alerts/{rule}/series", "What a rule saw", _R.series, BackTest, takes=(_DAYS,)),
    Operation(
        "PUT", "/api/alerts/{rule}/snooze", "Tell nobody until then", _R.snoozed, Done, body=_R.SnoozeDraft,
        needs="configure",
    ),
    Operation("DELETE", "/api/alerts/{rule}/snooze", "Tell people again", _R.woken, Done, needs="configure"),
    Operation("POST", "/api/alerts/{rule}/test", "Send a test to its channels", _R.tested, Tested, needs="configure"),
    Operation("GET", "/api/alert-channels", "Channels, secrets masked", _C.channels, _C.Channels, needs="configure"),
    Operation(
        "POST", "/api/alert-channels", "A new channel", _C.saved, Saved, body=_C.ChannelDraft, needs="configure"
    ),
    Operation(
        "PUT", "/api/alert-channels/{channel}", "Change a channel; an empty URL stays as it was", _C.saved, Saved,
        body=_C.ChannelDraft, needs="configure",
    ),
    Operation("DELETE", "/api/alert-channels/{channel}", "Remove a channel", _C.removed, Done, needs="configure"),
    Operation(
        "POST", "/api/alert-channels/{channel}/test", "Send a test to a channel", _C.tested, Tested, needs="configure"
    ),
    Operation(
        "GET", "/api/alert-settings", "What holds of all alerts", _C.settings, _C.AlertSettingsTold, needs="configure"
    ),
    Operation(
        "PUT", "/api/alert-settings", "Set what holds of all alerts", _C.set_settings, _C.AlertSettingsTold,
        body=_C.AlertSettings, needs="configure",
    ),
)  # fmt: skip
