"""The one exception that we raise on purpose."""

from ..guards.judgement import Decision, Side


class ModelCallBlocked(Exception):  # noqa: N818  says what happened to the call; nothing is wrong with the program
    """A policy stopped this model call, and has no canned reply for it. Its text never quotes content.

    `rule` is the rule that blocked (`on_error` if nobody could judge and the policy wants that to block), `side` is
    'input' (the provider was not asked) or 'output' (its answer was withheld).
    """

    def __init__(self, decision: Decision, side: Side) -> None:
        self.rule = decision.blocked_by
        self.policy_name = decision.policy_name
        self.policy_hash = decision.policy_hash
        self.side: Side = side
        what = "was not sent" if side == "input" else "was answered, and the answer withheld"
        policy = f" of policy {decision.policy_name!r}" if decision.policy_name else ""
        super().__init__(f"The model call {what}: rule {decision.blocked_by!r}{policy} blocks it.")
