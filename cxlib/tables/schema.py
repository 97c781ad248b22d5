"""The six tables, declared: what a row is, which columns it may have and what may stand in them.

Everything the reader does follows from these declarations. A further column or table is a further
declaration here and no code elsewhere; data/README.md describes the same columns for people.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TABLES", "Column", "Table"]


@dataclass(frozen=True)
class Column:
    """One column and what may stand in it.

    Parameters
    ----------
    name : str
        Our name, the same in every file once it is read.
    type : {"id", "text", "number", "integer", "time", "flag"}
        ``id`` and ``text`` stay text; ``flag`` is yes or no; ``time`` is a date or a time of day.
    meaning : str
        One line for the data dictionary.
    required : bool
        The table is unusable without the column.
    filled : bool
        Every row needs a value.
    minimum, maximum : float, optional
        Inclusive limits of a number.
    choices : tuple of str
        The only texts allowed, in lower case.
    unit : str
    also : tuple of str
        Names that files often use instead. They are suggested, never assumed.
    """

    name: str
    type: str
    meaning: str
    required: bool = False
    filled: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table: its columns and how the reader treats it by default.

    Parameters
    ----------
    name, one_row : str
    columns : tuple of Column
        In the order in which a frame shows them; extra columns follow.
    time : str
        The column whose first and last value are the period of the data.
    key : tuple of str
        Columns whose values together name a row; may not occur twice.
    signed : str, optional
        The column of money for which ``negative=`` and ``zero=`` decide.
    scored : str, optional
        The column of answers for which ``questions=`` and ``scale=`` speak.
    anonymous : bool
        Whether rows without any customer column may be numbered (``customer_id=None``).
    no_customer, duplicates : str
        The default choices for rows without a customer and for identical lines.
    """

    name: str
    one_row: str
    columns: tuple[Column, ...]
    time: str
    key: tuple[str, ...] = ()
    signed: str | None = None
    scored: str | None = None
    anonymous: bool = False
    no_customer: str = "error"
    duplicates: str = "keep"

    def column(self, name: str) -> Column | None:
        """The declared column of that name, or None."""
        return next((c for c in self.columns if c.name == name), None)


def _customer(meaning: str = "who, as the company knows them") -> Column:
    also = ("customer", "cust_id", "client_id", "user_id", "account_id", "kundennummer", "kunde")
    return Column("customer_id", "id", meaning, required=True, filled=True, also=also)


_FAILURE = Column("failure", "flag", "whether something went wrong", also=("problem", "fehler"))
_SEVERITY = Column("severity", "integer", "how bad it was, 1 mild", minimum=1, maximum=5)

RESPONSES = Table(
    "responses",
    "one answer, or one invitation without an answer (score and answered_at empty)",
    (
        _customer(),
        Column(
            "question",
            "text",
            "nps, ces, csat, intent or any other name",
            required=True,
            filled=True,
            also=("survey", "metric", "frage"),
        ),
        Column(
            "score",
            "number",
            "the answer; empty where nobody answered",
            required=True,
            also=("answer", "rating", "value", "netpro", "nps", "bewertung", "note", "antwort"),
        ),
        Column("answered_at", "time", "when it was answered"),
        Column("invited_at", "time", "when the invitation went out"),
        Column("item", "text", "what was rated, where a question has items"),
        Column(
            "wording",
            "text",
            "which way the effort question was put",
            choices=("effort", "easy"),
        ),
        Column("touchpoint", "text", "where the experience took place"),
        Column("phase", "text", "phase of the customer's life cycle"),
        Column("emotion", "text", "emotion named by the customer"),
        Column("contact_id", "id", "the contact the answer is about"),
        Column("order_id", "id", "the order the answer is about"),
        Column("comment", "text", "the customer's own words"),
        Column("weight", "number", "survey weight", minimum=0),
    ),
    time="answered_at",
    scored="score",
    anonymous=True,
)

TRANSACTIONS = Table(
    "transactions",
    "one purchase",
    (
        _customer(),
        Column(
            "ordered_at",
            "time",
            "when it was ordered",
            required=True,
            filled=True,
            also=("date", "order_date", "invoice_date", "datum", "bestelldatum", "kaufdatum"),
        ),
        Column(
            "amount",
            "number",
            "what was paid",
            required=True,
            filled=True,
            unit="currency",
            also=("price", "total", "value", "revenue", "sales", "betrag", "umsatz", "summe"),
        ),
        Column("order_id", "id", "the order the purchase belongs to", also=("invoice",)),
        Column("margin", "number", "what remains after the cost of goods", unit="currency"),
        Column("channel", "text", "where it was ordered"),
        Column("promised_at", "time", "delivery promised for"),
        Column("delivered_at", "time", "delivery arrived"),
        _FAILURE,
        _SEVERITY,
    ),
    time="ordered_at",
    signed="amount",
    no_customer="drop",
)

CONTACTS = Table(
    "contacts",
    "one service case",
    (
        Column(
            "contact_id",
            "id",
            "the case",
            required=True,
            filled=True,
            also=("ticket_id", "case_id", "ticket", "vorgang"),
        ),
        _customer(),
        Column(
            "opened_at",
            "time",
            "when the case was opened",
            required=True,
            filled=True,
            also=("created_at", "date", "datum", "opened"),
        ),
        Column("closed_at", "time", "when the case was closed"),
        Column("channel", "text", "where the case was opened"),
        Column("topic", "text", "what it was about"),
        Column("agent", "text", "who dealt with it"),
        Column("team", "text", "the agent's team"),
        _FAILURE,
        _SEVERITY,
        Column("steps", "integer", "steps the customer had to take", minimum=0),
        Column("channel_switches", "integer", "changes of channel", minimum=0),
        Column("transfers", "integer", "hand-overs between agents", minimum=0),
        Column("repeat_of", "id", "the earlier contact on the same matter"),
        Column("waiting_minutes", "number", "waiting time", minimum=0, unit="minutes"),
        Column("resolved_first_contact", "flag", "solved in the first contact"),
        Column(
            "recovery",
            "text",
            "how well a failure was made good",
            choices=("none", "poor", "adequate", "excellent"),
        ),
        Column("mood", "number", "mood of the text, negative is angry"),
        Column("text", "text", "what was written"),
        Column("cost", "number", "cost of the case", minimum=0, unit="currency"),
    ),
    time="opened_at",
    key=("contact_id",),
    anonymous=True,
    duplicates="error",
)

CUSTOMERS = Table(
    "customers",
    "one customer",
    (
        _customer(),
        Column(
            "joined_at",
            "time",
            "when they became a customer",
            required=True,
            filled=True,
            also=("since", "created_at", "signup_date", "kunde_seit"),
        ),
        Column("left_at", "time", "when they left; only where leaving is observable"),
        Column("leave_reason", "text", "why they left, as stated"),
        Column("segment", "text", "the company's own segment"),
        Column("country", "text", "country"),
        Column("role", "text", "role of the person"),
        Column("plan", "text", "what they subscribe to"),
        Column("renews_at", "time", "next renewal of the contract"),
        Column("onboarded_at", "time", "when onboarding was finished"),
        Column("acquisition_cost", "number", "cost of winning them", minimum=0, unit="currency"),
    ),
    time="joined_at",
    key=("customer_id",),
    duplicates="error",
)

USAGE = Table(
    "usage",
    "one customer-week",
    (
        _customer(),
        Column(
            "week",
            "integer",
            "week of observation, counted in whole numbers",
            required=True,
            filled=True,
            unit="weeks",
            also=("week_number", "woche", "kw"),
        ),
        Column("logins", "integer", "logins in the week", minimum=0),
        Column("minutes", "number", "minutes of use in the week", minimum=0, unit="minutes"),
        Column("core_features", "integer", "core features used in the week", minimum=0),
        Column("seats_active", "integer", "seats in use in the week", minimum=0),
    ),
    time="week",
    key=("customer_id", "week"),
    duplicates="error",
)

EVENTS = Table(
    "events",
    "something that happened or was done to a customer",
    (
        _customer(),
        Column(
            "at",
            "time",
            "when it happened",
            required=True,
            filled=True,
            also=("date", "time", "timestamp", "datum", "event_time"),
        ),
        Column(
            "kind",
            "text",
            "what happened",
            required=True,
            filled=True,
            choices=("visit", "step", "offer", "arm", "call", "milestone", "returned"),
            also=("event", "type", "event_type", "art"),
        ),
        Column("value", "text", "which one: the page, the arm, the offer"),
    ),
    time="at",
    anonymous=True,
)

TABLES = {t.name: t for t in (RESPONSES, TRANSACTIONS, CONTACTS, CUSTOMERS, USAGE, EVENTS)}
