"""What calls of OpenMx functions are worth: models and what they are made of."""

from __future__ import annotations

from dataclasses import dataclass

from growthmm.notation.openmx.data import DataPart
from growthmm.notation.openmx.parser import Binary, Node
from growthmm.notation.openmx.values import Vector

__all__ = [
    "AlgebraPart",
    "ConstraintPart",
    "GroupsPart",
    "Ignored",
    "ModelPart",
    "PathPart",
    "Several",
    "Unknown",
    "Value",
]


@dataclass(frozen=True, slots=True)
class PathPart:
    """``mxPath()``: its arguments, before they are spread over cells."""

    origins: Vector
    targets: Vector
    connect: str
    arrows: Vector
    free: Vector
    values: Vector
    labels: Vector
    lower: Vector
    upper: Vector
    position: int


@dataclass(frozen=True, slots=True)
class AlgebraPart:
    """``mxAlgebra()``: a named expression."""

    name: str
    expression: Node
    position: int


@dataclass(frozen=True, slots=True)
class ConstraintPart:
    """``mxConstraint()``: a relation."""

    relation: Binary
    position: int


@dataclass(frozen=True, slots=True)
class GroupsPart:
    """``mxFitFunctionMultigroup()``: which submodels are fitted together."""

    names: tuple[str, ...]
    position: int


@dataclass(frozen=True, slots=True)
class ModelPart:
    """``mxModel()``: what it is made of, in order."""

    name: str
    kind: str
    manifest: tuple[str, ...] = ()
    latent: tuple[str, ...] = ()
    paths: tuple[PathPart, ...] = ()
    relations: tuple[AlgebraPart | ConstraintPart, ...] = ()
    data: DataPart | None = None
    groups: GroupsPart | None = None
    submodels: tuple[ModelPart, ...] = ()
    observed_information: bool = False
    position: int = 0


@dataclass(frozen=True, slots=True)
class Several:
    """A list of parts."""

    parts: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A part that changes nothing of the model."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that nothing here computes."""

    node: Node


Value = (
    Vector
    | PathPart
    | AlgebraPart
    | ConstraintPart
    | GroupsPart
    | DataPart
    | ModelPart
    | Several
    | Ignored
    | Unknown
)
"""What an expression of a script can be worth."""
