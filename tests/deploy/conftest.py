"""What is shipped for deployments, and what must be right in each form of it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from registry.cli import main
from registry.settings import Settings, declared_settings, read_settings, unknown_variables

DEPLOY = Path(__file__).parents[2] / "deploy"
VARIABLES = {declared.variable for _, declared, _ in declared_settings()}
SECRETS = {declared.variable for _, declared, _ in declared_settings() if declared.secret}


def assert_known_command(words: Sequence[str] | str) -> None:
    """A command of ours, with options that it has."""
    words = shlex.split(words) if isinstance(words, str) else list(words)
    assert words[0].rpartition("/")[2] == "registry", words
    command = main.get_command(click.Context(main), words[1])
    assert command is not None, words
    command.make_context(words[1], words[2:])


def settings_of(environment: Mapping[str, str]) -> Settings:
    """The settings that an environment makes; none mistaken, none unknown."""
    assert unknown_variables(environment) == []
    return read_settings(environment)
