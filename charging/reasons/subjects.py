"""Reasons about what a slot holds besides accounts: subjects of any kind, and bill runs."""

from charging.reasons.reason import BROKEN, INVALID, NOT_FOUND, REFUSED, Reason, Section

SUBJECTS = Section(
    "Subjects of a slot",
    "owner",
    (
        Reason("NO_ACCOUNT", BROKEN, "What is asked of an account was sent to a subject that is none."),
        Reason("SUBJECT_UNKNOWN", NOT_FOUND, "The id names no subject of a kind that is known."),
        Reason("SUBJECT_ELSEWHERE", INVALID, "The subject is in another slot.", fields="the slot"),
        Reason("ACTION_MALFORMED", INVALID, "What is asked of a subject can't be read."),
        Reason("SUBJECT_TOO_LARGE", INVALID, "The subject would be larger than is kept."),
        Reason("SUBJECT_UNREADABLE", BROKEN, "What is kept of a subject can't be read."),
        Reason(
            "SUBJECT_DAMAGED",
            BROKEN,
            "A part of the subject's journal can't be read.",
            "An operator: `onetier damaged`.",
        ),
        Reason("FACT_UNREADABLE", BROKEN, "What happened to a subject can't be read, or would read as something else."),
    ),
)

BILL_RUNS = Section(
    "Bill runs",
    "owner",
    (
        Reason("CHANGE_MISSING", INVALID, "Nothing is asked of the runs.", fields="the changes there are"),
        Reason("RUN_UNKNOWN", NOT_FOUND, "The slot has no run of this period.", "Plan or open one."),
        Reason("RUN_EXISTS", REFUSED, "The period has a run already.", "Cancel it before another is planned."),
        Reason(
            "RUNS_AHEAD",
            REFUSED,
            "As many runs of the cycle day are planned or open as a slot keeps.",
            "Complete or cancel one first.",
            facts=("ahead_max",),
        ),
        Reason("RUN_OPEN", REFUSED, "The run is open already."),
        Reason("RUN_NOT_COMPLETED", REFUSED, "The bills of the run are not all made.", "Complete it first."),
        Reason("DOCUMENTS_FREE", REFUSED, "The run was opened without an approval of its documents: none waits."),
        Reason("DOCUMENTS_RELEASED", REFUSED, "The documents of the run went out already."),
        Reason(
            "DOCUMENTS_HELD",
            REFUSED,
            "The documents of the bill's run wait for an approver.",
            "Approve them: `onetier billing approve-documents`. A trial is shown at any time.",
            facts=("run",),
        ),
        Reason(
            "DOCUMENTS_REFUSED",
            REFUSED,
            "The documents of the bill's run are kept back.",
            "The approver said why: `onetier billing show`.",
            facts=("run", "why"),
        ),
        Reason(
            "APPROVER_NOT_ANOTHER",
            REFUSED,
            "Documents are judged by another certificate than the one that opened the run.",
            "Somebody else calls, by a certificate of its own.",
        ),
        Reason("RUN_NOT_OPEN", REFUSED, "The run is planned and was never opened.", "Open it first."),
        Reason("RUN_COMPLETED", REFUSED, "The run is completed.", "What it missed goes into the next one."),
        Reason("RUN_CANCELLED", REFUSED, "The run was cancelled.", "Plan another."),
        Reason("RUN_MISSING", BROKEN, "Something was to happen to a run that is not there."),
        Reason("RUN_MODE_UNKNOWN", INVALID, "There is no such mode of a run.", fields="the mode"),
        Reason("BACKUP_MALFORMED", INVALID, "What is said of the run's backup is no digest.", fields="the backup"),
        Reason(
            "CYCLE_BUSY",
            REFUSED,
            "Another run of the cycle is open: periods are billed one after the other.",
            facts=("open",),
        ),
        Reason("PERIOD_MALFORMED", INVALID, "The period is none.", fields="the period"),
        Reason("PERIOD_NOT_OVER", REFUSED, "The period is not over yet.", facts=("period_ends_ms",)),
        Reason(
            "PERIOD_PASSED",
            REFUSED,
            "A later period of the cycle is billed already.",
            "What is late goes into the next run.",
            facts=("billed",),
        ),
        Reason("PERIOD_SKIPPED", REFUSED, "A period before this one is not billed yet."),
        Reason("WINDOW_EMPTY", INVALID, "The window of a run ends before it begins.", fields="the end"),
        Reason(
            "WINDOW_TOO_EARLY",
            REFUSED,
            "The window of a run opens before its period is over.",
            facts=("period_ends_ms",),
        ),
        Reason("REASON_MISSING", INVALID, "What is cancelled says no reason.", fields="the reason"),
    ),
)
