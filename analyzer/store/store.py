"""The store: everything that outlives a run, in one database. All SQL of the program is in this package."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from analyzer.store.answers import AnswerTable
from analyzer.store.batches import BatchTable
from analyzer.store.engine import Database
from analyzer.store.history import AssessmentTable
from analyzer.store.manual_scores import ManualScoreTable
from analyzer.store.portfolios import PortfolioTable


class Store:
    """Stored answers, batches, saved assessments, portfolios and manual scores in one database, SQLite or PostgreSQL.

    Safe to share between threads; several processes may use one database at the same time. Close it, or use `with`.
    """

    def __init__(self, database: Database):
        self._database = database
        self.answers = AnswerTable(database)
        self.batches = BatchTable(database)
        self.history = AssessmentTable(database)
        self.portfolios = PortfolioTable(database)
        self.manual_scores = ManualScoreTable(database)

    @classmethod
    def open(cls, url: str) -> Store:
        """The store at a SQLAlchemy URL, its tables created or brought up to date.

        Stores that one process opens at the same URL share one engine; see `Database.open`. Raises StoreError if the
        URL is not valid, its package is missing, the database cannot be reached, or a newer version of this program
        created it.
        """
        return cls(Database.open(url))

    @classmethod
    def describe(cls, url: str) -> str:
        """Where the store is and what it holds, in one line. Only looks: creates and changes nothing. Raises
        StoreError."""
        database = Database.existing(url)
        if isinstance(database, str):
            return database
        with cls(database) as store:
            counts = (
                f"{store.answers.count():,} answers",
                f"{store.history.count():,} assessments",
                f"{store.portfolios.count():,} portfolios",
            )
            waiting = store.batches.count_under_way()
            batches = f", {waiting:,} batches under way" if waiting else ""
            return f"{store.name}: {', '.join(counts)}{batches}"

    @property
    def name(self) -> str:
        """Its URL, without a password."""
        return self._database.name

    def close(self) -> None:
        """Lets go of the database; the last store to be closed ends its connections. Repeated calls do nothing."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
