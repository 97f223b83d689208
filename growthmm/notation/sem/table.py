"""The complete table of a model as its program has it, and the roles of its variables."""

from __future__ import annotations

from dataclasses import dataclass, fields

from growthmm.model.sem import Path

__all__ = ["Table", "Variables"]


@dataclass(frozen=True, slots=True)
class Variables:
    """The roles that variables take from a model's formulas.

    Parameters
    ----------
    latent : tuple of str
        Variables that something measures.
    observed : tuple of str
        The others: indicators, then regressed ones, then exogenous ones, then the rest.
    exogenous : tuple of str
        Observed variables that only predict and of whose moments the text says nothing.
    latent_exogenous : tuple of str
        Latent variables that neither are regressed nor measure one.
    ends : tuple of str
        Regressed variables that predict and measure nothing, latent ones first.
    """

    latent: tuple[str, ...]
    observed: tuple[str, ...]
    exogenous: tuple[str, ...]
    latent_exogenous: tuple[str, ...]
    ends: tuple[str, ...]

    def joined(self, other: Variables) -> Variables:
        """The variables of two levels, those of the first level first."""
        return Variables(
            *(
                tuple(dict.fromkeys((*getattr(self, each.name), *getattr(other, each.name))))
                for each in fields(self)
            )
        )


@dataclass(frozen=True, slots=True)
class Table:
    """The complete table.

    Parameters
    ----------
    paths : tuple of Path
        Every row, group by group.
    variables : Variables
        The roles of the variables.
    """

    paths: tuple[Path, ...]
    variables: Variables
